"""The AWS emulator, as a process of its own on a free loopback port, with IAM enforced.

Lambdas run as its child processes, in a bare interpreter that sees only their package and layer.
"""

import json
import os
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

import boto3

from local.guard import guarded
from local.ports import LOOPBACK, remembered_port

REGION = "us-east-1"
ROOT = Path(__file__).resolve().parent.parent
_STACK_VENV = ROOT / ".venv-stack"
_START_SECONDS = 60.0
_DECISIONS = "iam-decisions.jsonl"


class EmulatorError(Exception):
    """The emulator didn't come up; the text ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The emulator's root user: for deploying and for looking into it, never for a Lambda."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator: where it listens, and who may do everything there."""

    endpoint: str
    credentials: Credentials
    pid: int
    decisions: Path
    """What IAM decided about each request of a role, one JSON array a line; see `launcher.py`."""

    def session(self) -> boto3.Session:
        """A session of the root user; give each client `endpoint_url=emulator.endpoint`."""
        return boto3.Session(
            self.credentials.access_key_id, self.credentials.secret_access_key, region_name=REGION
        )


@contextmanager
def run_emulator(folder: Path, *, keep: bool) -> Iterator[Emulator]:
    """Run the emulator while the block lasts; with `keep`, its state survives in `folder`.

    The state is written when the emulator ends in an orderly way, and then brings back everything: data,
    functions, their triggers, the API. Raises EmulatorError when it doesn't answer within a minute.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    credentials = _credentials(folder / "credentials.json")
    port = remembered_port(folder / "port")
    command = [
        str(_STACK_VENV / "bin" / "python"),
        str(Path(__file__).with_name("launcher.py")),
        str(_STACK_VENV / "lambda" / "bin" / "python"),
    ]
    log = folder / "emulator.log"
    environment = _environment(folder, port, credentials, keep=keep)
    # an orderly end waits for the running Lambdas; there is nothing to wait for when nothing is kept
    grace = 15.0 if keep else 1.0
    with guarded(command, log=log, environment=environment, removes=scratch, grace=grace) as process:
        endpoint = f"http://{LOOPBACK}:{port}"
        _wait_until_healthy(endpoint, process, log)
        yield Emulator(
            endpoint=endpoint, credentials=credentials, pid=process.pid, decisions=folder / _DECISIONS
        )


def _credentials(file: Path) -> Credentials:
    if not file.exists():
        fresh = {
            "access_key_id": f"AKIA{secrets.token_hex(8).upper()}",
            "secret_access_key": secrets.token_urlsafe(30),
        }
        file.touch(mode=0o600)
        file.write_text(json.dumps(fresh))
    return Credentials(**json.loads(file.read_text()))


def _environment(folder: Path, port: int, credentials: Credentials, *, keep: bool) -> dict[str, str]:
    """All that the emulator sees; its Lambdas inherit it, so nothing of the caller's environment is in it."""
    keeping = "1" if keep else "0"
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TMPDIR": str(folder / "tmp"),
        "BIND_HOST": LOOPBACK,
        "MINISTACK_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        # two listeners nobody asked for
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": keeping,
        "STATE_DIR": str(folder / "state"),
        "S3_PERSIST": keeping,
        "S3_DATA_DIR": str(folder / "s3"),
        # what goes on for days would fill the disk
        **({} if keep else {"IAM_DECISIONS": str(folder / _DECISIONS)}),
    }


def _wait_until_healthy(endpoint: str, process: Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    last_lines = log.read_text(errors="replace").splitlines()[-20:]
    raise EmulatorError("\n".join(["the emulator did not start:", *last_lines]))
