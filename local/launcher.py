"""Start the emulator with the interpreter that is to run the Lambdas: `launcher.py LAMBDA_PYTHON`.

Run with the emulator's own Python. It would start the Lambdas with that one too, and its packages
would be found before those of their layer; a bare interpreter has none.

It would also unpack code and layer anew for each process of a Lambda, which then compiles all that it
imports: five seconds of CPU time, of which one is the Lambda's own. Here an archive is unpacked once for as
long as the emulator runs, and each process finds links to what is in it. What one compiles, the next one
finds compiled.

With IAM_DECISIONS in the environment, each decision about a role's request is added to the file of that name:
a JSON array of the role's name, the action, the resource, and whether it was allowed.
"""

import json
import os
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable
from contextvars import ContextVar
from hashlib import sha256
from pathlib import Path
from typing import Any

from ministack.app import main
from ministack.core import iam_evaluator


def _write_decisions_to(file: Path) -> None:
    """A request may be looked at twice, by the role's policy and by the resource's; the end counts."""
    enforce: Callable[..., Any] = iam_evaluator.enforce
    evaluate: Callable[..., Any] = iam_evaluator.evaluate
    decisions = file.open("a", buffering=1, encoding="utf-8")  # a line is there before its answer is
    asked: ContextVar[Any] = ContextVar("asked", default=None)

    def remembering(context: Any, *policies: Any) -> Any:
        asked.set(asked.get() or context)
        return evaluate(context, *policies)

    def writing(*request: Any, **more: Any) -> Any:
        asked.set(None)
        refusal = enforce(*request, **more)
        context = asked.get()
        if context is not None and ":assumed-role/" in context.principal_arn:
            role = context.principal_arn.split("/")[1]
            line = json.dumps([role, context.action, context.resource_arn, refusal is None])
            decisions.write(line + "\n")
        return refusal

    iam_evaluator.enforce, iam_evaluator.evaluate = writing, remembering


_unpack = zipfile.ZipFile.extractall
_once = threading.Lock()


def extract_links(archive: zipfile.ZipFile, path: str) -> None:
    """Fill the folder at `path` with links to what the archive has at its top."""
    contents = "\n".join(f"{member.CRC} {member.filename}" for member in archive.infolist())
    unpacked = Path(tempfile.gettempdir(), "unpacked", sha256(contents.encode()).hexdigest())
    with _once:
        if not unpacked.exists():
            fresh = unpacked.with_suffix(".new")
            _unpack(archive, fresh)
            fresh.rename(unpacked)
    for entry in unpacked.iterdir():
        Path(path, entry.name).symlink_to(entry)


zipfile.ZipFile.extractall = extract_links  # type: ignore[method-assign, assignment]
sys.executable = sys.argv.pop()
if "IAM_DECISIONS" in os.environ:
    _write_decisions_to(Path(os.environ["IAM_DECISIONS"]))
main()
