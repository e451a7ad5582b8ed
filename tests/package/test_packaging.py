"""Packaging is done again when, and only when, something that goes in has changed."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.emulator import ROOT
from local.package import PackageError, package

APP = """
from chalice import Chalice
app = Chalice(app_name="tiny")

@app.lambda_function()
def answer(event, context):
    return 42
"""
PACKAGE = "import sys, pathlib, local.package; local.package.package(pathlib.Path(sys.argv[1]))"
CONFIG = '{"version": "2.0", "app_name": "tiny", "stages": {"prod": {"autogen_policy": true}}}'


@pytest.fixture
def app(tmp_path: Path) -> Path:
    files = {
        "app.py": APP,
        "requirements.txt": "",
        ".chalice/config.json": CONFIG,
        "infra/merge.yaml": "Outputs: {Answer: {Value: '42'}}\n",
        "chalicelib/__init__.py": "",
    }
    for name, content in files.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    return tmp_path


def written(build: Path) -> dict[str, tuple[int, bytes]]:
    return {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in build.iterdir()}


def test_the_template_is_merged_in(app: Path) -> None:
    assert "Answer:" in (package(app) / "sam.yaml").read_text()


def test_nothing_changed_is_nothing_written(app: Path) -> None:
    before = written(package(app))
    (app / "chalicelib" / "__pycache__").mkdir()
    (app / "chalicelib" / "__pycache__" / "stray.pyc").write_bytes(b"stray")
    assert written(package(app)) == before


def test_a_changed_module_is_in_the_next_package(app: Path) -> None:
    before = written(package(app))["deployment.zip"]
    (app / "chalicelib" / "new.py").write_text("NEW = True\n")
    assert written(package(app))["deployment.zip"][1] != before[1]


def test_of_two_at_once_one_packages_and_the_other_waits(app: Path) -> None:
    command = [sys.executable, "-c", PACKAGE, str(app)]
    both = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]
    before = written(app / "build")
    assert written(package(app)) == before


def test_a_broken_app_is_refused_with_its_reason_and_nothing_stale_is_left(app: Path) -> None:
    package(app)
    (app / "app.py").write_text(APP + "nonsense\n")
    with pytest.raises(PackageError, match="name 'nonsense' is not defined"):
        package(app)
    assert not (app / "build").exists()
