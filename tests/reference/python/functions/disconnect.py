"""Row 4.2: forget the client."""

from common import cache


def handler(event, _context):
    cache.srem("clients", event["requestContext"]["connectionId"])
    return {"statusCode": 200}
