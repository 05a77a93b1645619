"""Row 4.5: send the whole canvas as one JSON message."""

import json

from common import cache, gateway


def handler(event, _context):
    api = gateway()
    for record in event["Records"]:
        canvas = [json.loads(pixel) for pixel in cache.hvals("canvas")]
        api.post_to_connection(ConnectionId=record["body"], Data=json.dumps(canvas).encode())
