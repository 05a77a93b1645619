"""Stands the yardstick up on a running emulator and prints the address that clients connect to.

    deploy.py <endpoint> <redis host:port> <directory of the vendored packages>

Only what the data plane needs: network, roles and limits are as the emulator has them by default.
"""

import io
import pathlib
import sys
import zipfile

import boto3

STAGE = "production"
FUNCTIONS = {
    # name: (module, seconds)
    "yard-connect": ("connect", 15),
    "yard-disconnect": ("disconnect", 15),
    "yard-send": ("send_message", 15),
    "yard-broadcast": ("broadcast", 300),
    "yard-initialize": ("initialize_connection", 60),
    "yard-save": ("save", 900),
}
ROUTES = {
    "$connect": "yard-connect",
    "$disconnect": "yard-disconnect",
    "sendMessage": "yard-send",
}


def package(vendored):
    """One archive for all functions: their own files, and the packages that they import."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for root in (vendored, pathlib.Path(__file__).parent / "functions"):
            for path in sorted(root.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    archive.write(path, path.relative_to(root))
    return buffer.getvalue()


class Yardstick:
    def __init__(self, endpoint, redis):
        self.endpoint = endpoint
        self.redis_host, self.redis_port = redis.split(":")
        # The credentials file of the local cloud: its secret is Redis's password.
        self.session = boto3.Session(profile_name="default", region_name="us-east-1")
        self.redis_password = self.session.get_credentials().secret_key
        self.account = self.client("sts").get_caller_identity()["Account"]

    def client(self, service):
        return self.session.client(service, endpoint_url=self.endpoint)

    def queue(self, name, delay):
        attributes = {
            "FifoQueue": "true",
            "VisibilityTimeout": "300",
            "DelaySeconds": str(delay),
        }
        created = self.client("sqs").create_queue(QueueName=f"{name}.fifo", Attributes=attributes)
        return created["QueueUrl"]

    def table(self, name, *keys):
        kinds = ["HASH", "RANGE"]
        self.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
            KeySchema=[
                {"AttributeName": k, "KeyType": kind} for k, kind in zip(keys, kinds, strict=False)
            ],
        )
        return name

    def function(self, name, code, variables):
        module, timeout = FUNCTIONS[name]
        return self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=f"arn:aws:iam::{self.account}:role/yard",
            Handler=f"{module}.handler",
            Code={"ZipFile": code},
            Timeout=timeout,
            MemorySize=512,
            Environment={"Variables": variables},
        )["FunctionArn"]

    def route(self, api, key, function):
        gateway = self.client("apigatewayv2")
        uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
        integration = gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationMethod="POST", IntegrationUri=uri
        )["IntegrationId"]
        gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}")

    def consume(self, queue, function):
        arn = f"arn:aws:sqs:us-east-1:{self.account}:{queue.rsplit('/', 1)[1]}"
        self.client("lambda").create_event_source_mapping(
            EventSourceArn=arn, FunctionName=function, BatchSize=10
        )

    def every_minute(self, function):
        target = {"Arn": function, "RoleArn": f"arn:aws:iam::{self.account}:role/yard"}
        self.client("scheduler").create_schedule(
            Name="yard-save",
            ScheduleExpression="rate(1 minute)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target=target,
        )

    def stand_up(self, code):
        gateway = self.client("apigatewayv2")
        api = gateway.create_api(
            Name="yard", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
        )["ApiId"]
        path = f"_aws/execute-api/{api}/{STAGE}"
        # A connection can't be posted to before `$connect` has returned: a second is enough.
        initialize = self.queue("yardInitializeQueue", delay=1)
        request = self.queue("yardRequestQueue", delay=0)
        variables = {
            "REDIS_HOST": self.redis_host,
            "REDIS_PORT": self.redis_port,
            "REDIS_PASSWORD": self.redis_password,
            "INITIALIZE_QUEUE_URL": initialize,
            "REQUEST_QUEUE_URL": request,
            "GATEWAY_URL": f"{self.endpoint}/{path}",
            "MRU_TABLE": self.table("yard_mru_pixels", "pixel"),
            "HISTORY_TABLE": self.table("yard_pixel_history", "pixel", "t"),
        }
        functions = {name: self.function(name, code, variables) for name in FUNCTIONS}
        for key, name in ROUTES.items():
            self.route(api, key, functions[name])
        gateway.create_stage(ApiId=api, StageName=STAGE, AutoDeploy=True)
        self.consume(initialize, "yard-initialize")
        self.consume(request, "yard-broadcast")
        self.every_minute(functions["yard-save"])
        return f"{self.endpoint.replace('http', 'ws', 1)}/{path}"


if __name__ == "__main__":
    endpoint, redis_address, vendored_packages = sys.argv[1:]
    print(Yardstick(endpoint, redis_address).stand_up(package(pathlib.Path(vendored_packages))))
