"""Measures what an invocation costs the emulator itself: a function that does nothing, of the
same kind as the stack's (`provided.al2023`). Prints one JSON object.

    floor.py <endpoint>
"""

import concurrent.futures
import io
import json
import pathlib
import sys
import time
import zipfile

import boto3

NAME = "floor"
HERE = pathlib.Path(__file__).parent
BOOTSTRAP = '#!/bin/sh\nexec python3 "$(dirname "$0")/runtime.py" noop\n'
ONE_BY_ONE = 20
AT_ONCE = 32
SECONDS = 5


def package():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        bootstrap = zipfile.ZipInfo("bootstrap")
        bootstrap.external_attr = 0o755 << 16
        archive.writestr(bootstrap, BOOTSTRAP)
        for path in ("runtime.py", "functions/noop.py"):
            archive.write(HERE / path, path)
    return buffer.getvalue()


def invoke(client):
    answer = client.invoke(FunctionName=NAME, Payload=b"{}")
    assert json.load(answer["Payload"]) == {"statusCode": 200}, answer


def measure(client):
    client.create_function(
        FunctionName=NAME,
        Runtime="provided.al2023",
        Role="arn:aws:iam::000000000000:role/floor",
        Handler="bootstrap",
        Code={"ZipFile": package()},
        Timeout=30,
    )
    invoke(client)
    started = time.monotonic()
    for _ in range(ONE_BY_ONE):
        invoke(client)
    alone = (time.monotonic() - started) / ONE_BY_ONE

    end = time.monotonic() + SECONDS

    def again_and_again(_):
        count = 0
        while time.monotonic() < end:
            invoke(client)
            count += 1
        return count

    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        count = sum(pool.map(again_and_again, range(AT_ONCE)))
    elapsed = time.monotonic() - started
    client.delete_function(FunctionName=NAME)
    return {"ms_each": alone * 1000, "per_second": count / elapsed}


if __name__ == "__main__":
    lambda_client = boto3.client(
        "lambda",
        endpoint_url=sys.argv[1],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=boto3.session.Config(max_pool_connections=AT_ONCE),
    )
    print(json.dumps(measure(lambda_client)))
