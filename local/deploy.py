"""Deploy `build/` by CloudFormation: to the emulator, or, without an endpoint, to AWS.

Artefacts and the template go to a bucket under names made of their contents, so that nothing is uploaded
twice. A change set shows beforehand whether there is anything to do at all.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import boto3
import yaml
from botocore.exceptions import ClientError, WaiterError

_ARTEFACT_PROPERTIES = ("CodeUri", "ContentUri")
_GONE = "does not exist"
_BEGINNINGS = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}


class DeployError(Exception):
    """CloudFormation refused or rolled back; the text names each resource that failed and why."""


def deploy(
    session: boto3.Session,
    build: Path,
    *,
    stack: str,
    bucket: str,
    parameters: Mapping[str, str],
    endpoint: str | None = None,
) -> dict[str, str]:
    """Create or update `stack` from `build/sam.yaml`; returns its outputs by key.

    Declared parameters that `parameters` omits keep their earlier or default value. Raises DeployError.
    """
    s3 = session.client("s3", endpoint_url=endpoint)
    cloudformation = session.client("cloudformation", endpoint_url=endpoint)
    _ensure_bucket(s3, bucket, session.region_name)
    template = _template_with_uploads(s3, build, bucket)
    body = json.dumps(template, sort_keys=True).encode()  # CloudFormation takes no YAML aliases
    address = _address_of(s3, bucket, _upload(s3, bucket, body, ".json"))
    exists = _exists(cloudformation, stack)
    earlier = _known_parameters(cloudformation, stack) if exists else set()
    values = list(_parameter_values(list(template.get("Parameters", {})), parameters, earlier))
    change_set = _create_change_set(cloudformation, stack, address, values, update=exists)
    if _has_changes(cloudformation, change_set):
        cloudformation.execute_change_set(ChangeSetName=change_set)
        _wait(cloudformation, stack, "update" if exists else "create")
    return outputs(cloudformation, stack)


def outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    """The outputs of a deployed stack by key."""
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def _ensure_bucket(s3: Any, bucket: str, region: str) -> None:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        # us-east-1 is the one region S3 refuses to be told about
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **place)


def _template_with_uploads(s3: Any, build: Path, bucket: str) -> dict[str, Any]:
    template = cast(dict[str, Any], yaml.safe_load((build / "sam.yaml").read_text(encoding="utf-8")))
    uploaded: dict[str, str] = {}
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for name in _ARTEFACT_PROPERTIES:
            local = properties.get(name)
            if isinstance(local, str) and not local.startswith("s3://"):
                if local not in uploaded:
                    uploaded[local] = _upload(s3, bucket, (build / local).read_bytes(), ".zip")
                properties[name] = f"s3://{bucket}/{uploaded[local]}"
    return template


def _upload(s3: Any, bucket: str, body: bytes, suffix: str) -> str:
    key = hashlib.sha256(body).hexdigest() + suffix
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    return key


def _address_of(s3: Any, bucket: str, key: str) -> str:
    signed = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
    return str(signed).partition("?")[0]


def _exists(cloudformation: Any, stack: str) -> bool:
    """Whether there is a stack to update. One whose creation failed can only be removed, and is."""
    try:
        status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if _GONE in str(error):
            return False
        raise
    if status == "ROLLBACK_COMPLETE":
        cloudformation.delete_stack(StackName=stack)
        _wait(cloudformation, stack, "delete")
        return False
    return bool(status != "REVIEW_IN_PROGRESS")


def _known_parameters(cloudformation: Any, stack: str) -> set[str]:
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return {parameter["ParameterKey"] for parameter in described.get("Parameters", [])}


def _parameter_values(
    declared: list[str], given: Mapping[str, str], earlier: set[str]
) -> Iterator[dict[str, str | bool]]:
    unknown = given.keys() - set(declared)
    if unknown:
        raise DeployError(f"the template has no parameters named {', '.join(sorted(unknown))}")
    for name in declared:
        if name in given:
            yield {"ParameterKey": name, "ParameterValue": given[name]}
        elif name in earlier:
            yield {"ParameterKey": name, "UsePreviousValue": True}


def _create_change_set(
    cloudformation: Any, stack: str, address: str, values: list[dict[str, str | bool]], *, update: bool
) -> str:
    created = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=f"deploy-{uuid.uuid4().hex}",
        ChangeSetType="UPDATE" if update else "CREATE",
        TemplateURL=address,
        Parameters=values,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    return str(created["Id"])


def _has_changes(cloudformation: Any, change_set: str) -> bool:
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(
            ChangeSetName=change_set, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )
    except WaiterError:
        described = cloudformation.describe_change_set(ChangeSetName=change_set)
        reason = described.get("StatusReason", "")
        if "didn't contain changes" in reason or "No updates" in reason:
            cloudformation.delete_change_set(ChangeSetName=change_set)
            return False
        raise DeployError(f"the change set failed: {reason}") from None
    return True


def _wait(cloudformation: Any, stack: str, kind: str) -> None:
    try:
        cloudformation.get_waiter(f"stack_{kind}_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 1800}
        )
    except WaiterError:
        raise DeployError(
            "\n".join([f"stack {stack} failed to {kind}:", *_failures(cloudformation, stack)])
        ) from None


def _failures(cloudformation: Any, stack: str) -> Iterator[str]:
    """What went wrong in the last operation: found while validating, then while provisioning."""
    found = cloudformation.describe_events(StackName=stack).get("OperationEvents", [])
    for event in found:
        if event["OperationId"] == found[0]["OperationId"] and event.get("ValidationStatus") == "FAILED":
            yield _failure(event, event["ValidationStatusReason"])
    for event in reversed(list(_events_of_last_operation(cloudformation, stack))):
        if event["ResourceStatus"].endswith("FAILED"):
            yield _failure(event, event.get("ResourceStatusReason", "no reason given"))


def _failure(event: Mapping[str, Any], reason: str) -> str:
    return f"  {event['LogicalResourceId']} ({event['ResourceType']}): {reason}"


def _events_of_last_operation(cloudformation: Any, stack: str) -> Iterator[dict[str, Any]]:
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    for event in (event for page in pages for event in page["StackEvents"]):
        yield event
        if event["PhysicalResourceId"] == event["StackId"] and event["ResourceStatus"] in _BEGINNINGS:
            return
