"""The page of results: every row of every package, and what could not be measured by name."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
ROW = {
    "name": "a layer", "ours_s": 0.002, "other": "the other", "other_s": 0.005,
    "ratio": 2.5, "low": 2.4, "high": 2.6, "required": 2.0, "holds": True,
}  # fmt: skip
SLOW = {**ROW, "name": "a kernel", "required": 3.0, "holds": False}
FREE = {**ROW, "name": "peak memory in bytes", "ours_s": 2e6, "required": None, "holds": None}


@pytest.fixture(scope="module")
def results() -> ModuleType:
    spec = importlib.util.spec_from_file_location("results", ROOT / "docs" / "results.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["results"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(results: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one package whose benchmarks run and one plugin whose do not."""
    document = {"machine": "a machine", "threads": 1, "rows": [ROW, SLOW, FREE]}
    for folder, script in (
        ("packages/core", f"print({json.dumps(document)!r})"),
        ("plugins/broken", "raise SystemExit(3)"),
    ):
        (tmp_path / folder / "benchmarks").mkdir(parents=True)
        (tmp_path / folder / "benchmarks" / "run.py").write_text(script)
    scripts = results.chosen_scripts
    monkeypatch.setattr(results, "chosen_scripts", lambda names: scripts(names, tmp_path))
    return tmp_path


def test_every_row_stands_on_the_page_and_one_that_falls_short_is_marked(results, tree, capsys):
    assert results.main(["core"]) == 0
    page = capsys.readouterr().out
    assert "3 rows, 2 of them with a least ratio required, 1 of which fall short" in page
    assert "a machine" in page
    assert "| a layer | 2.00 ms | the other | 5.00 ms | 2.50 | 2.40 to 2.60 | 2.00 | yes |" in page
    assert "| 3.00 | **no** |" in page
    assert "| peak memory in bytes | 2.00 MB |" in page


def test_a_benchmark_that_fails_is_named_and_the_others_are_written(results, tree, capsys):
    out = tree / "results.md"
    assert results.main(["--out", str(out), "--threads", "1", "2"]) == 1
    page = out.read_text()
    assert page.count("| a layer |") == 2
    assert "## core, 2 threads" in page
    assert "## broken, 1 thread\n\nNot measured: its benchmarks failed." in page
    assert "error: broken" in capsys.readouterr().err


def test_json_has_every_package(results, tree, capsys):
    results.main(["--json"])
    found = json.loads(capsys.readouterr().out)["packages"]
    assert [result["package"] for result in found] == ["core", "broken"]
    assert found[0]["rows"] == [ROW, SLOW, FREE]
    assert "status 3" in found[1]["error"]


def test_an_unknown_package_is_refused_with_those_there_are(results, tree):
    with pytest.raises(SystemExit, match="no benchmarks of cor; of core, broken"):
        results.main(["cor"])


def test_every_package_with_benchmarks_is_found(results):
    names = [name for name, _ in results.chosen_scripts([])]
    assert {"intertwiner", "intertwiner-atoms"} < set(names)
    assert len(names) == len(set(names)) > 2
