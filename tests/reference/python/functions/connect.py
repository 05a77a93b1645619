"""Row 4.1: remember the client, ask for its picture."""

import os

from common import cache, sqs


def handler(event, _context):
    connection = event["requestContext"]["connectionId"]
    cache.sadd("clients", connection)
    sqs.send_message(
        QueueUrl=os.environ["INITIALIZE_QUEUE_URL"],
        MessageBody=connection,
        MessageGroupId="initialize",
        MessageDeduplicationId=connection,
    )
    return {"statusCode": 200}
