"""Nothing: what the emulator itself costs."""


def handler(_event, _context):
    return {"statusCode": 200}
