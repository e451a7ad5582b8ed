"""`make run`: keep the embedded stack running until Ctrl-C; everything survives in `.local/`.

`SES_DELAY=5 SES_DUPLICATES=0.2 make run` makes SES's events come late and twice; see `local/ses_settings.py`.
"""

import fcntl
import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path

from local.emulator import ROOT
from local.ses_bridge import Options
from local.ses_fates import SIMULATOR
from local.ses_settings import SettingError, with_environment
from local.stack import OPERATOR, Stack, start

FOLDER = ROOT / ".local"
SES = Options(verify_after=30.0)  # long enough to see an identity wait for it


def main() -> None:
    """Start, say how to use it, wait, stop."""
    for end in (signal.SIGTERM, signal.SIGINT):
        signal.signal(end, signal.default_int_handler)
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit("make run is at work in .local/ already; two would overwrite each other's data.")
        _run()


def _run() -> None:
    try:
        ses = with_environment(SES, os.environ)
    except SettingError as error:
        sys.exit(str(error))
    print("Starting the embedded stack …", flush=True)
    try:
        with start(FOLDER, ses=ses) as stack:
            _introduce(stack, demo_account(stack, FOLDER))
            while True:
                time.sleep(3600)
    except KeyboardInterrupt:
        print("\nStopped. The data are in .local/, `make run` brings them back.")


def demo_account(stack: Stack, folder: Path) -> dict[str, str]:
    """The demo account's `account_id` and `api_key`; made once, then remembered in `folder`."""
    memory = folder / "demo-account.json"
    if not memory.exists() or not _is_known(stack, json.loads(memory.read_text())):
        wish = {"action": "create_account", "name": "Demo", "line_plan": "purchased"}
        account = stack.invoke(OPERATOR, wish)
        memory.touch(mode=0o600)
        memory.write_text(json.dumps(account))
    remembered: dict[str, str] = json.loads(memory.read_text())
    return remembered


def _is_known(stack: Stack, account: dict[str, str]) -> bool:
    """Whether the stack still has the account: what came since its last orderly stop may be lost."""
    key = {"account_id": {"S": account["account_id"]}}
    found = stack.client("dynamodb").get_item(TableName=stack.resource("AccountTable"), Key=key)
    return "Item" in found


def _introduce(stack: Stack, account: dict[str, str]) -> None:
    mailbox = stack.mailbox
    print(
        f"""
  API       {stack.api_url}
  API key   {account["api_key"]}
  SMTP      {mailbox.host}:{mailbox.port} STARTTLS, user {mailbox.username}, password {mailbox.password}
  SES       a line with "ses": {{"identity": "example.com"}} instead of "smtp", verified within two minutes
            success@, bounce@, complaint@, ooto@, suppressionlist@{SIMULATOR} do as they say
            curl -X POST {stack.ses.url}/reader/MESSAGE-ID/open   (or click, prefetch, complaint)
  Mail      {mailbox.maildir.root}
  AWS       {stack.emulator.endpoint}

For the commands of README.md, paste this line:

  {_variables(stack, account)}

Ctrl-C stops it.""",
        flush=True,
    )


def _variables(stack: Stack, account: dict[str, str]) -> str:
    """What a shell needs to know, as one line of assignments."""
    mailbox = stack.mailbox
    values = {
        "API": stack.api_url,
        "KEY": account["api_key"],
        "SMTP_HOST": mailbox.host,
        "SMTP_PORT": str(mailbox.port),
        "SMTP_USER": mailbox.username,
        "SMTP_PASSWORD": mailbox.password,
    }
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items())


if __name__ == "__main__":
    main()
