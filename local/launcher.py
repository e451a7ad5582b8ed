"""Start the emulator with the interpreter that is to run the Lambdas: `launcher.py LAMBDA_PYTHON`.

Run with the emulator's own Python. It would start the Lambdas with that one too, and its packages
would be found before those of their layer; a bare interpreter has none.

It would also unpack code and layer anew for each process of a Lambda, which then compiles all that it
imports: five seconds of CPU time, of which one is the Lambda's own. Here an archive is unpacked once for as
long as the emulator runs, and each process finds links to what is in it. What one compiles, the next one
finds compiled.
"""

import sys
import tempfile
import threading
import zipfile
from hashlib import sha256
from pathlib import Path

from ministack.app import main

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
main()
