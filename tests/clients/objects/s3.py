"""An S3 server with one bucket, `mindflow`, until standard input ends; says where it listens."""

import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://{host}:{port}"
credentials = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
boto3.client("s3", endpoint_url=endpoint, **credentials).create_bucket(Bucket="mindflow")
print(endpoint, flush=True)
sys.stdin.read()
