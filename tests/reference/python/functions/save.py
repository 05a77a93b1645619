"""Row 4.6: pop the history item by item, then write the whole canvas, pixel by pixel."""

import json
import os
import time

from common import cache, dynamodb


def put(table, pixel, **more):
    item = {
        "pixel": {"S": f"{pixel['x']} {pixel['y']}"},
        "rgb": {"S": f"{pixel['r']} {pixel['g']} {pixel['b']}"},
    }
    dynamodb.put_item(TableName=os.environ[table], Item=item | more)


def handler(_event, _context):
    changes = 0
    while (change := cache.lpop("history")) is not None:
        put("HISTORY_TABLE", json.loads(change), t={"S": f"{time.time_ns()}"})
        changes += 1
    canvas = cache.hvals("canvas")
    for pixel in canvas:
        put("MRU_TABLE", json.loads(pixel))
    return {"changes": changes, "pixels": len(canvas)}
