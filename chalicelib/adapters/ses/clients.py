"""Clients of SES. The one that sends never repeats a call: SES would send the message again.

SendEmail has no idempotency token. A call whose reply was lost, repeated in silence as every SDK does by
default, was measured to make two copies while it looked fine.
"""

from typing import Any

import boto3
from botocore.config import Config

# Both within the time that a go-ahead leaves for a hand-over (150 s); SES reads slowly beyond 10 MB.
SENDING = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 1})
MANAGING = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4})


def ses_client(endpoint: str | None, config: Config) -> Any:
    """A client of SES API v2, at ``endpoint`` where one is given."""
    return boto3.client("sesv2", endpoint_url=endpoint, config=config)
