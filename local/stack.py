"""The whole product on this machine: emulator, mailbox, SES bridge, and the packaged app among them."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.config import Config

from local.deploy import deploy
from local.emulator import ROOT, Emulator, run_emulator
from local.mailbox import LARGEST_MESSAGE, Mailbox, run_mailbox
from local.package import package
from local.ports import remembered_port
from local.ses_bridge import Options, SesBridge, run_bridge

STACK = "postline"
OPERATOR = "OperateService"
_MANY_AT_ONCE = ("SendEmails", "TrackEvents")
_ARTEFACTS = "postline-artefacts"
_API_STAGE = "api"
# There is no TLS in front of the emulator.
_LOCAL = {"TlsOnly": "false"}


class FunctionError(Exception):
    """A Lambda ended with an error; the text is its message and the end of its log."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack. Functions and other resources are named by their logical id in the template."""

    emulator: Emulator
    mailbox: Mailbox
    ses: SesBridge
    outputs: Mapping[str, str]
    session: boto3.Session

    @property
    def api_url(self) -> str:
        """The API's base, without a slash at its end."""
        return f"{self.emulator.endpoint}/restapis/{self.outputs['RestAPIId']}/{_API_STAGE}/_user_request_"

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator's root user."""
        return self.session.client(service, endpoint_url=self.emulator.endpoint)

    def resource(self, logical_id: str) -> str:
        """The physical name of a resource: a function's or table's name, a queue's URL."""
        found = self.client("cloudformation").describe_stack_resource(
            StackName=STACK, LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def invoke(self, function: str, payload: object) -> Any:
        """Run a function and return what it returns. Raises FunctionError."""
        answer = self.client("lambda").invoke(
            FunctionName=self.resource(function), Payload=json.dumps(payload).encode()
        )
        result = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise FunctionError("\n".join([f"{function}: {result}", *self.logs(function)[-20:]]))
        return result

    def logs(self, function: str) -> list[str]:
        """All lines a function has logged so far, oldest first; none of one that has never run."""
        logs = self.client("logs")
        group = f"/aws/lambda/{self.resource(function)}"
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        try:
            return [event["message"] for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []


@contextmanager
def start(
    folder: Path | None = None,
    parameters: Mapping[str, str] | None = None,
    *,
    app: Path = ROOT,
    ses: Options | None = None,
    largest_message: int = LARGEST_MESSAGE,
) -> Iterator[Stack]:
    """Package, start and deploy everything; it all ends with the block.

    Data survive in `folder`, or go with the block when there is none. `parameters` are the template's, `ses`
    says how SES behaves, `largest_message` how many bytes the mailbox takes.
    """
    build = package(app)
    with (
        _folder(folder) as kept,
        run_mailbox(kept / "mail", largest_message) as mailbox,
        run_emulator(kept / "aws", keep=folder is not None) as emulator,
        run_bridge(emulator, mailbox.maildir, remembered_port(kept / "ses-port"), ses) as bridge,
    ):
        session = emulator.session()
        outside = {"SesEndpoint": bridge.url, "SignInEndpoint": emulator.endpoint}
        values = {**_LOCAL, **_of_mailbox(mailbox), **outside, **(parameters or {})}
        stack = _deployed(emulator, mailbox, bridge, session, build, values)
        if "PublicUrl" not in values:  # only now the API has an address
            values = {**values, "PublicUrl": stack.api_url}
            stack = _deployed(emulator, mailbox, bridge, session, build, values)
        _limit_processes(stack)
        _answer_in_bytes(stack)
        yield stack


def _deployed(
    emulator: Emulator,
    mailbox: Mailbox,
    bridge: SesBridge,
    session: boto3.Session,
    build: Path,
    values: Mapping[str, str],
) -> Stack:
    outputs = deploy(
        session, build, stack=STACK, bucket=_ARTEFACTS, parameters=values, endpoint=emulator.endpoint
    )
    return Stack(emulator, mailbox, bridge, outputs, session)


def _answer_in_bytes(stack: Stack) -> None:
    """The emulator doesn't read the media types in the API's definition, and takes them as a list only."""
    unchecked = Config(parameter_validation=False)
    apis = stack.session.client("apigateway", endpoint_url=stack.emulator.endpoint, config=unchecked)
    change = {"op": "replace", "path": "/binaryMediaTypes", "value": ["*/*"]}
    apis.update_rest_api(restApiId=stack.outputs["RestAPIId"], patchOperations=[change])


def _of_mailbox(mailbox: Mailbox) -> dict[str, str]:
    return {"SmtpCaFile": str(mailbox.ca_file), "SmtpPrivateHosts": mailbox.host}


def _limit_processes(stack: Stack) -> None:
    """Few at once: each is a process, whose cold start costs more CPU time than its work."""
    functions = stack.client("lambda")
    limit = {"MaximumConcurrency": max(2, os.cpu_count() or 2)}
    for name in _MANY_AT_ONCE:
        found = functions.list_event_source_mappings(FunctionName=stack.resource(name))
        for source in found["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=source["UUID"], ScalingConfig=limit)


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        yield wanted.resolve()
        return
    with TemporaryDirectory(prefix="postline-") as temporary:
        yield Path(temporary)
