"""Row 4.4: post the pixels of each message to all clients, one after the other."""

from common import cache, gateway


def handler(event, _context):
    api = gateway()
    for record in event["Records"]:
        for connection in cache.smembers("clients"):
            try:
                api.post_to_connection(ConnectionId=connection, Data=record["body"].encode())
            except Exception:
                cache.srem("clients", connection)
