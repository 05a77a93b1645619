"""Row 4.3: keep the pixels, update the canvas, ask for a broadcast of each message."""

import json
import os
import uuid

from common import cache, sqs


def handler(event, _context):
    data = json.loads(event["body"])["data"]
    pixels = data if isinstance(data, list) else [data]
    for pixel in pixels:
        cache.rpush("history", json.dumps(pixel))
        cache.hset("canvas", f"{pixel['x']} {pixel['y']}", json.dumps(pixel))
    sqs.send_message(
        QueueUrl=os.environ["REQUEST_QUEUE_URL"],
        MessageBody=json.dumps(pixels),
        MessageGroupId="broadcast",
        MessageDeduplicationId=str(uuid.uuid4()),
    )
    return {"statusCode": 200}
