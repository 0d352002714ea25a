"""An S3-shaped store on the loopback."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from moto.server import ThreadedMotoServer


@dataclass(frozen=True)
class Bucket:
    """An empty one. `bucket` is boto3's."""

    url: str
    bucket: Any

    def put(self, key: str, body: bytes) -> None:
        self.bucket.put_object(Key=key, Body=body)

    def keys(self, prefix: str = "") -> set[str]:
        return {each.key for each in self.bucket.objects.filter(Prefix=prefix)}


@contextmanager
def moto_bucket(name: str = "acme") -> Iterator[Bucket]:
    """Whoever shows any key is let in. One at a time in a process: moto keeps its buckets there."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        urllib.request.urlopen(f"{url}/moto-api/reset", data=b"").close()
        client = boto3.resource(
            "s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
        )
        bucket = client.Bucket(name)
        bucket.create()
        yield Bucket(url, bucket)
    finally:
        server.stop()
