"""`make operator CMD='lift_brake --account-id … --line-id …'`: one order to the operator's function.

The commands are the orders themselves: a new order is a new command. They go to the stack of `make run`, or,
with `--aws`, to the one in AWS, by the caller's own credentials: IAM says who may invoke the function.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from chalicelib.blueprints.operator import Order
from local.deploy import outputs
from local.emulator import REGION, ROOT
from local.ports import LOOPBACK
from local.stack import STACK

_OUTPUT = "OperatorFunctionName"
_LOCAL = ROOT / ".local" / "aws"


class OperateError(Exception):
    """The order couldn't be given; the text says why."""


def main(words: Sequence[str], folder: Path = _LOCAL) -> int:
    """Give the order and print its answer as JSON; 0 unless the answer is an error."""
    given = _parser().parse_args(words)
    try:
        session, endpoint = (boto3.Session(), None) if given.aws else _local(folder)
        answer = give(session, endpoint, given.stack, order_of(vars(given)))
    except (OperateError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    return 1 if "error" in answer else 0


def orders() -> dict[str, type[BaseModel]]:
    """The models of all orders by their names."""
    return {get_args(model.model_fields["action"].annotation)[0]: model for model in get_args(Order)}


def order_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The order that was asked for; what was left out is left out. Raises KeyError for one there is not."""
    fields = orders()[given["action"]].model_fields
    values = {name: given[name] for name in fields if given.get(name) is not None}
    return {name: None if _is_null(fields[name], value) else value for name, value in values.items()}


def give(session: boto3.Session, endpoint: str | None, stack: str, order: Mapping[str, Any]) -> Any:
    """Invoke the operator's function of a stack; raises OperateError, and what AWS refuses."""
    function = outputs(session.client("cloudformation", endpoint_url=endpoint), stack)[_OUTPUT]
    once = Config(retries={"total_max_attempts": 1}, read_timeout=60)  # an order is given once
    functions = session.client("lambda", endpoint_url=endpoint, config=once)
    answer = functions.invoke(FunctionName=function, Payload=json.dumps(order).encode())
    told = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise OperateError(f"The function failed, and how far it came is unknown: {told.get('errorType')}.")
    return told


def _local(folder: Path) -> tuple[boto3.Session, str]:
    """The stack of `make run`: its root user and where it listens."""
    credentials, port = folder / "credentials.json", folder / "port"
    if not credentials.exists() or not port.exists():
        raise OperateError("There is no local stack: start it by `make run`, or say --aws.")
    known = json.loads(credentials.read_text())
    session = boto3.Session(known["access_key_id"], known["secret_access_key"], region_name=REGION)
    return session, f"http://{LOOPBACK}:{port.read_text()}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make operator CMD=…", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--aws", action="store_true", help="the stack in AWS, by your own credentials")
    parser.add_argument("--stack", default=STACK, help=f"its name (default: {STACK})")
    commands = parser.add_subparsers(dest="action", required=True, metavar="ORDER")
    for name, model in orders().items():
        text = (model.__doc__ or "").strip()
        command = commands.add_parser(name, help=text.partition("\n")[0], description=text)
        for field, info in model.model_fields.items():
            if field != "action":
                _add_option(command, field, info)
    return parser


def _add_option(command: argparse.ArgumentParser, field: str, info: FieldInfo) -> None:
    values = _values(info.annotation)
    command.add_argument(
        f"--{field.replace('_', '-')}",
        dest=field,
        required=info.is_required(),
        choices=values or None,
        metavar=None if values else field.upper(),
        help=info.description,
    )


def _values(annotation: Any) -> list[str]:
    """What a field may be, where that can be listed."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(one.value) for one in annotation]
    return [str(one) for one in get_args(annotation)] if get_origin(annotation) is Literal else []


def _is_null(info: FieldInfo, value: str) -> bool:
    return value == "null" and NoneType in get_args(info.annotation)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
