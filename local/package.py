"""Write the deployable artefacts to `build/`: the function's zip, its layer, and the SAM template.

`python -m local.package` does nothing when nothing that goes in has changed since.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from local.emulator import REGION, ROOT

STAGE = "prod"
_INPUTS = ("app.py", "chalicelib", ".chalice/config.json", ".chalice/policies", "infra", "requirements.txt")
_STAMP = "inputs.sha256"


class PackageError(Exception):
    """Chalice refused to package; the text is what it said."""


def package(root: Path = ROOT) -> Path:
    """Package the app at `root`; returns the folder `build/` with sam.yaml and the zips beside it.

    The same inputs give the same bytes.
    """
    build = root / "build"
    fingerprint = _fingerprint(root)
    with _alone(root):
        stamp = build / _STAMP
        if not stamp.exists() or stamp.read_text() != fingerprint:
            _build(root, build, fingerprint)
    return build


def _build(root: Path, build: Path, fingerprint: str) -> None:
    fresh = root / "build.new"
    for stale in (fresh, build):
        shutil.rmtree(stale, ignore_errors=True)
    _run_chalice(root, fresh)
    _without_aliases(fresh / "sam.yaml")
    (fresh / _STAMP).write_text(fingerprint)
    fresh.rename(build)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Of processes that package at once, one does, and the others wait for it."""
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _run_chalice(root: Path, output: Path) -> None:
    chalice = Path(sys.executable).with_name("chalice")
    arguments = ["package", "--stage", STAGE, "--merge-template", "infra/merge.yaml", str(output)]
    # a stray __pycache__ would travel in the zip and change its hash
    environment = {**os.environ, "AWS_DEFAULT_REGION": REGION, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [str(chalice), *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise PackageError(f"chalice package failed:\n{ran.stdout}{ran.stderr}")


class _Plain(yaml.SafeDumper):
    """Writes repeated parts in full: CloudFormation refuses YAML aliases, and Chalice's template has them."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _without_aliases(template: Path) -> None:
    content = yaml.safe_load(template.read_text(encoding="utf-8"))
    text = yaml.dump(content, Dumper=_Plain, sort_keys=True, allow_unicode=True)
    template.write_text(text, encoding="utf-8")


def _fingerprint(root: Path) -> str:
    digest = hashlib.sha256(f"{STAGE} {sys.version}".encode())
    for file in _input_files(root):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(root)} {content}\n".encode())
    return digest.hexdigest()


def _input_files(root: Path) -> Iterator[Path]:
    for name in _INPUTS:
        path = root / name
        inside = path.rglob("*") if path.is_dir() else [path]
        yield from sorted(file for file in inside if file.is_file() and "__pycache__" not in file.parts)


if __name__ == "__main__":
    print(package())
