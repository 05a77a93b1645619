"""Measures what an invocation costs the emulator itself: one of the stack's functions, given an
empty event, which it refuses without asking anybody. Prints one JSON object.

    floor.py <endpoint> <function>
"""

import concurrent.futures
import json
import sys
import time

import boto3

ONE_BY_ONE = 50
AT_ONCE = 32
SECONDS = 5


def invoke(client, function):
    answer = client.invoke(FunctionName=function, Payload=b"{}")
    assert json.load(answer["Payload"]) == {"statusCode": 400}, answer


def measure(client, function):
    invoke(client, function)
    started = time.monotonic()
    for _ in range(ONE_BY_ONE):
        invoke(client, function)
    alone = (time.monotonic() - started) / ONE_BY_ONE

    end = time.monotonic() + SECONDS

    def again_and_again(_):
        count = 0
        while time.monotonic() < end:
            invoke(client, function)
            count += 1
        return count

    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        count = sum(pool.map(again_and_again, range(AT_ONCE)))
    return {"ms_each": alone * 1000, "per_second": count / (time.monotonic() - started)}


if __name__ == "__main__":
    # The credentials file of the local cloud.
    session = boto3.Session(profile_name="default", region_name="us-east-1")
    lambda_client = session.client(
        "lambda",
        endpoint_url=sys.argv[1],
        config=boto3.session.Config(max_pool_connections=AT_ONCE),
    )
    print(json.dumps(measure(lambda_client, sys.argv[2])))
