"""A plugin's cases run in-process and under pytest, and nothing collected is an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import intertwiner.conformance.run as conformance_run
from intertwiner.conformance.cases import Case
from intertwiner.conformance.findings import Finding, NotCovered
from intertwiner.conformance.pytest_plugin import pytest_generate_tests
from intertwiner.conformance.run import CheckResult, Outcome, plugin_cases, run, run_case
from intertwiner.errors import DeclarationError, LookupFailed

PLUGINS = Path(__file__).parent / "plugins"


def case(run) -> Case:
    return Case("toy/item", "check", run, "toy")


def skip() -> list[Finding]:
    raise NotCovered("no device")


def test_a_plugin_that_registers_nothing_is_an_error(toys):
    with pytest.raises(DeclarationError, match="'empty' registers nothing"):
        plugin_cases("empty", toys)


def test_an_unknown_plugin_is_an_error_with_a_suggestion(toys):
    with pytest.raises(LookupFailed, match="did you mean 'honest'"):
        run("honset", toys)


def test_a_plugin_whose_checks_were_all_skipped_is_not_well():
    assert not CheckResult("toy", (run_case(case(skip)),)).well
    assert CheckResult("toy", (run_case(case(list)),)).well


def test_the_json_has_the_promised_keys_and_no_nan():
    finding = Finding("dipole", "not turned", 0.5, 2.0, 1e-9, "the axes")
    result = CheckResult("toy", (Outcome(case(list), "failed", (finding, Finding("", "odd"))),))
    found = result.to_json()
    assert found.keys() == {"plugin", "passed", "failed", "skipped", "failures"}
    assert (found["passed"], found["failed"], found["skipped"]) == (0, 1, 0)
    first, second = found["failures"]
    assert (first["item"], first["field"]) == ("toy/item", "dipole")
    assert (first["error"], first["size"]) == (0.5, 2.0)
    assert (second["error"], second["size"]) == (None, None)


def test_a_finding_reads_as_one_sentence():
    finding = Finding("dipole", "not turned", 0.5, 2.0, 1e-9, "the axes")
    assert str(finding) == (
        "field 'dipole': not turned; the error is 0.5 where the value is 2, "
        "at most 1e-09 is allowed; look at the axes"
    )


def test_the_report_shows_what_did_not_pass_and_the_counts():
    text = str(CheckResult("toy", (run_case(case(skip)), run_case(case(list)))))
    assert "skipped toy/item: check\n    no device" in text
    assert text.endswith("toy: 1 passed, 0 failed, 1 skipped")


SCRIPT = """
import sys
sys.path.insert(0, {plugins!r})
import importlib, pytest
from intertwiner.conformance import run as runner
from intertwiner.registry import Registry
names = ("honest", "liar", "empty")
modules = {{name: importlib.import_module("conformance_toys." + name) for name in names}}
runner.load_registry = lambda: Registry.from_modules(modules)
command = ["-q", "-p", "intertwiner.conformance.pytest_plugin", "-p", "no:cacheprovider"]
command += ["--pyargs", "intertwiner.conformance", *sys.argv[1:]]
sys.exit(pytest.main(command))
"""


def pytest_on(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As in a project of the user's own: the settings of this repository's pytest do not count."""
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\n")
    script = SCRIPT.format(plugins=str(PLUGINS))
    command = [sys.executable, "-c", script, "-c", str(settings), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_pytest_runs_the_same_cases_and_shows_no_frames(tmp_path, toys):
    done = pytest_on(tmp_path, "--plugin", "liar")
    result = run("liar", toys)
    counts = (f"{result.count('failed')} failed", f"{result.count('passed')} passed")
    assert done.returncode == 1
    assert all(count in done.stdout for count in counts)
    assert "field 'target': moving everything by 100" in done.stdout
    assert "Traceback" not in done.stdout
    assert "def test_plugin" not in done.stdout


def generate(plugin: str | None) -> None:
    config = SimpleNamespace(getoption=lambda name: plugin)
    pytest_generate_tests(SimpleNamespace(fixturenames=["conformance_case"], config=config))


def test_pytest_asks_for_the_plugin_when_none_is_named():
    with pytest.raises(pytest.Collector.CollectError, match="--plugin NAME"):
        generate(None)


@pytest.mark.parametrize(("name", "said"), [("empty", "registers nothing"), ("nope", "no plugin")])
def test_pytest_ends_in_an_error_when_there_is_nothing_to_collect(name, said, toys, monkeypatch):
    monkeypatch.setattr(conformance_run, "load_registry", lambda: toys)
    with pytest.raises(pytest.Collector.CollectError, match=said):
        generate(name)


def test_only_the_pytest_side_of_the_kit_imports_pytest():
    folder = Path(conformance_run.__file__).parent
    importing = {path.name for path in folder.rglob("*.py") if "import pytest" in path.read_text()}
    assert importing == {"conftest.py", "pytest_plugin.py", "test_plugin.py"}
