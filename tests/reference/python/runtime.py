"""Runs one of the yardstick's functions as Lambda would: the loop of the Runtime API.

    runtime.py <module of functions/>
"""

import http.client
import importlib
import json
import os
import pathlib
import sys

API = "/2018-06-01/runtime/invocation"


def serve(handler):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", f"{API}/next")
        response = connection.getresponse()
        event = json.loads(response.read())
        request = response.headers["lambda-runtime-aws-request-id"]
        try:
            path, answer = "response", handler(event, None)
        except Exception as error:
            path, answer = "error", {"errorType": type(error).__name__, "errorMessage": str(error)}
        connection.request("POST", f"{API}/{request}/{path}", json.dumps(answer).encode())
        connection.getresponse().read()


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent / "functions"))
    serve(importlib.import_module(sys.argv[1]).handler)
