"""Scratch folders: room on this machine's disk that a process keeps for as long as it lives.

Lambda starts a new process in the old sandbox when one was killed, with /tmp as it was left.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

_OWNER = re.compile(r"-(\d+)-[^-]+")


def scratch_folder(name: str, place: Path | None = None) -> Path:
    """A new folder in ``place`` (the system's for temporary files) that goes with this process.

    Those of the same name that killed processes left behind are removed first.
    """
    place = place or Path(tempfile.gettempdir())
    for left in place.glob(f"{name}-*"):
        owner = _OWNER.fullmatch(left.name.removeprefix(name))
        if owner and not _lives(int(owner[1])):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-{os.getpid()}-", dir=place))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _lives(process_id: int) -> bool:
    """Whether another process has this id. Ours may have been a killed one's before."""
    if process_id == os.getpid():
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
