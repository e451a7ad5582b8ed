"""Calls of AWS made again with a function's role, such that nothing comes of them but IAM's decision.

What each call lacks (a key, a body, a checksum that is right) is looked at after who may make it.
"""

from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.emulator import REGION
from local.stack import Stack

_UNCHECKED = Config(parameter_validation=False, retries={"total_max_attempts": 1})
_REFUSALS = {"AccessDenied", "AccessDeniedException", "AWS.SimpleQueueService.AccessDenied"}
_PROBE = "probe.example"

Values = dict[str, Any]


class Caller:
    """Has the credentials of a role, and no others."""

    def __init__(self, stack: Stack, role_arn: str) -> None:
        given = stack.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="security")["Credentials"]
        self._session = boto3.Session(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=REGION
        )
        self._stack = stack
        self._clients: dict[str, Any] = {}

    def may(self, action: str, resource: str) -> bool:
        """Whether IAM lets the role do this to this resource."""
        service, _, name = action.partition(":")
        operation, values = _SERVICES[service](self._stack, name, resource)
        try:
            getattr(self._client("sesv2" if service == "ses" else service), operation)(**values)
        except ClientError as error:
            return error.response["Error"]["Code"] not in _REFUSALS
        return True

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            endpoint = self._stack.emulator.endpoint
            self._clients[service] = self._session.client(service, endpoint_url=endpoint, config=_UNCHECKED)
        return self._clients[service]


def _dynamodb(stack: Stack, name: str, resource: str) -> tuple[str, Values]:
    table, _, index = resource.partition(":table/")[2].partition("/index/")
    match name:
        case "ConditionCheckItem":
            return "transact_write_items", {"TransactItems": [{"ConditionCheck": {"TableName": table}}]}
        case "BatchGetItem":
            return "batch_get_item", {"RequestItems": {table: {"Keys": []}}}
        case "BatchWriteItem":
            return "batch_write_item", {"RequestItems": {table: []}}
    operation = {"Query": "query"}.get(name) or f"{name.removesuffix('Item').lower()}_item"
    return operation, {"TableName": table, **({"IndexName": index} if index else {})}


def _s3(stack: Stack, name: str, resource: str) -> tuple[str, Values]:
    bucket, _, key = resource.rpartition(":")[2].partition("/")
    if name == "ListBucket":
        return "list_objects_v2", {"Bucket": bucket, "MaxKeys": 1}
    place = {"Bucket": bucket, "Key": f"{key.partition('/')[0]}/{_PROBE}"}
    if name == "PutObject":
        return "put_object", {**place, "Body": b"x", "ContentMD5": "bm90IGl0cyBNRDUgYXQgYWxsCg=="}
    return f"{name.removesuffix('Object').lower()}_object", place


def _kms(stack: Stack, name: str, resource: str) -> tuple[str, Values]:
    if name.endswith("Mac"):
        signed = {"KeyId": resource, "Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}
        return (
            ("generate_mac", signed)
            if name == "GenerateMac"
            else ("verify_mac", {**signed, "Mac": b"x" * 32})
        )
    if name == "Encrypt":
        return "encrypt", {"KeyId": resource, "Plaintext": b"x"}
    sealed = stack.client("kms").encrypt(KeyId=resource, Plaintext=b"x")["CiphertextBlob"]
    return "decrypt", {"KeyId": resource, "CiphertextBlob": sealed}


def _sqs(stack: Stack, name: str, resource: str) -> tuple[str, Values]:
    queue = stack.client("sqs").get_queue_url(QueueName=resource.rpartition(":")[2])["QueueUrl"]
    return "send_message", {"QueueUrl": queue}


def _ses(stack: Stack, name: str, resource: str) -> tuple[str, Values]:
    identity = resource.partition(":identity/")[2]
    tenant = {"TenantName": "probe", "ResourceArn": resource}
    calls: dict[str, tuple[str, Values]] = {
        "CreateEmailIdentity": ("create_email_identity", {"EmailIdentity": identity}),
        "DeleteEmailIdentity": ("delete_email_identity", {"EmailIdentity": _PROBE}),
        "GetEmailIdentity": ("get_email_identity", {"EmailIdentity": _PROBE}),
        "TagResource": ("tag_resource", {"ResourceArn": resource}),
        "GetAccount": ("get_account", {}),
        "CreateTenant": ("create_tenant", tenant),
        "CreateTenantResourceAssociation": ("create_tenant_resource_association", tenant),
        "DeleteTenantResourceAssociation": ("delete_tenant_resource_association", tenant),
    }
    return calls[name]


_SERVICES: dict[str, Callable[[Stack, str, str], tuple[str, Values]]] = {
    "dynamodb": _dynamodb,
    "s3": _s3,
    "kms": _kms,
    "sqs": _sqs,
    "ses": _ses,
}
