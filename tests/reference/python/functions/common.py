"""Clients that every function uses, made once for a warm process."""

import os

import boto3
import redis

cache = redis.Redis(
    host=os.environ["REDIS_HOST"],
    port=int(os.environ["REDIS_PORT"]),
    password=os.environ.get("REDIS_PASSWORD"),
    decode_responses=True,
)
sqs = boto3.client("sqs")
dynamodb = boto3.client("dynamodb")


def gateway():
    return boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["GATEWAY_URL"])
