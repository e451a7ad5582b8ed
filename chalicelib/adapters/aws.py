"""How AWS clients are made: once per process, on first use, so that a cold start pays for what it uses."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_TIMES = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4})
# Presigned forms and links must name the bucket's own region and carry a version 4 signature.
_S3 = _TIMES.merge(Config(signature_version="s3v4", s3={"addressing_style": "path"}))


@cache
def client(service: str) -> Any:
    """The process's client of an AWS service."""
    return boto3.client(service, config=_S3 if service == "s3" else _TIMES)
