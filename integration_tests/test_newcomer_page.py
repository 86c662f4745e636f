"""Every command and block of code of the newcomer page, in order, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "newcomer.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLER = """\
#!/bin/sh
# Stands for pip and uv: nothing is installed here, what was asked for is written down.
echo "$@" >> "$INSTALL_LOG"
"""


def blocks() -> list[tuple[str, str]]:
    """(language, code) of every fenced block of the page."""
    return [(match[1], match[2]) for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("newcomer")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """This Python's programs, with installers that only take notes, and a quiet torch."""
    tools = tmp_path_factory.mktemp("tools")
    for name in ("pip", "uv"):
        (tools / name).write_text(INSTALLER)
        (tools / name).chmod(0o755)
    programs = [str(tools), str(Path(sys.executable).parent), os.environ["PATH"]]
    return {
        **os.environ,
        "PATH": os.pathsep.join(programs),
        "OMP_NUM_THREADS": "1",
        "INSTALL_LOG": str(tools / "asked"),
        "INTERTWINER_DATA": str(tools / "data"),
    }


def run(language: str, code: str, folder: Path, environment: dict[str, str]) -> None:
    command = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
    done = subprocess.run(
        [*command[language], code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr, done.stderr


def test_every_block_of_the_page_runs_in_order(folder, environment):
    for language, code in blocks():
        run(language, code, folder, environment)
    assert (folder / "dipoles.csv").read_text().startswith("file,record,dipole.x [debye]")
    _check_asked(Path(environment["INSTALL_LOG"]).read_text())
    _check_table_of_files(folder / "runs" / "dipole")


def _check_asked(asked: str) -> None:
    """What the page installs exists in the repository and is what runs here."""
    folders = re.findall(r"\./([\w/-]+)", asked)
    assert folders
    for name in folders:
        text = (ROOT / name / "pyproject.toml").read_text(encoding="utf-8")
        distribution = re.search(r'^name = "([\w-]+)"', text, re.MULTILINE)
        assert distribution is not None
        assert metadata.version(distribution[1])


def _check_table_of_files(run_folder: Path) -> None:
    """The page's table of files is the run folder's list of files."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([\w.]+)`", row.split("|")[1])}
    assert named == {path.name for path in run_folder.iterdir()}


def test_the_page_has_a_block_for_each_of_its_jobs():
    languages = [language for language, _ in blocks()]
    assert set(languages) == {"bash", "python"}
    everything = "\n".join(code for _, code in blocks())
    for verb in ("list", "match", "show", "train", "evaluate", "predict"):
        assert f"intertwiner {verb} " in everything or f"intertwiner {verb}\n" in everything
