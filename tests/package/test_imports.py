"""The zips by themselves: every function starts from them, and loads no more than it needs."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from local.package import package

COLD_IMPORT = """
import importlib, json, sys
sys.path[:0] = sys.argv[2:]
module, _, name = sys.argv[1].rpartition(".")
assert callable(getattr(importlib.import_module(module), name))
print(json.dumps(sorted(sys.modules)))
"""
MEGABYTE = 1_000_000


def handlers() -> list[str]:
    resources = yaml.safe_load((package() / "sam.yaml").read_text(encoding="utf-8"))["Resources"]
    found = (
        r["Properties"]["Handler"] for r in resources.values() if r["Type"] == "AWS::Serverless::Function"
    )
    return sorted(found)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The app's code and its layer's packages, as a Lambda has them."""
    folder = tmp_path_factory.mktemp("package")
    for name in ("deployment", "layer-deployment"):
        with zipfile.ZipFile(package() / f"{name}.zip") as archive:
            archive.extractall(folder / name)
    return (
        folder / "deployment",
        folder / "layer-deployment" / "python" / "lib" / "python3.11" / "site-packages",
    )


def modules_of(handler: str, unpacked: tuple[Path, Path]) -> set[str]:
    """Import a handler in an interpreter that sees the two zips and the standard library only."""
    command = [
        sys.executable,
        "-I",
        "-S",
        "-X",
        f"pycache_prefix={unpacked[0].with_name('compiled')}",  # what one start compiles serves the next
        "-W",
        "error",
        "-c",
        COLD_IMPORT,
        handler,
        *map(str, unpacked),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout))


@pytest.mark.parametrize("handler", handlers())
def test_a_function_starts_from_its_package_alone(unpacked: tuple[Path, Path], handler: str) -> None:
    app = unpacked[0] / "app.py"
    hidden = app.with_name("app.hidden")
    if handler != "app.app":
        app.rename(hidden)
    try:
        loaded = modules_of(handler, unpacked)
        assert "chalice" in loaded
        assert "jinja2" not in loaded, "only a mail with Jinja2 in it pays for that"
    finally:
        if hidden.exists():
            hidden.rename(app)


def test_a_sender_pays_for_nothing_that_others_need(unpacked: tuple[Path, Path]) -> None:
    loaded = modules_of("chalicelib.blueprints.sender.send_emails", unpacked)
    assert loaded.isdisjoint(
        {"openpyxl", "python_calamine", "pydantic", "chalicelib.blueprints.api", "dns", "cryptography"}
    )


def test_the_authorizer_pays_for_no_route_and_for_tokens_only_when_one_comes(
    unpacked: tuple[Path, Path],
) -> None:
    loaded = modules_of("chalicelib.blueprints.authorizer.authorize", unpacked)
    assert loaded.isdisjoint({"pydantic", "chalicelib.blueprints.api", "jwt", "cryptography", "dns"})


def test_the_api_loads_no_mail_client_and_no_spreadsheets(unpacked: tuple[Path, Path]) -> None:
    loaded = modules_of("app.app", unpacked)
    assert loaded.isdisjoint(
        {"openpyxl", "python_calamine", "chalicelib.adapters.smtp", "dns", "cryptography", "jwt"}
    )


def test_the_package_holds_the_app_only_and_stays_small(unpacked: tuple[Path, Path]) -> None:
    build = package()
    with zipfile.ZipFile(build / "deployment.zip") as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"app.py", "chalicelib", "chalice"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert (build / "deployment.zip").stat().st_size < MEGABYTE
    assert (build / "layer-deployment.zip").stat().st_size < 30 * MEGABYTE
    unzipped = sum(f.stat().st_size for top in unpacked for f in top.rglob("*") if f.is_file())
    assert unzipped < 125 * MEGABYTE, "Lambda takes 250 MB; half of it is room to grow"
