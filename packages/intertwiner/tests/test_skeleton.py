"""A new plugin's files: complete for every choice of parts, and green as they are written."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from itertools import chain, combinations

import pytest

from intertwiner.errors import ConfigError
from intertwiner.skeleton import PARTS, write_skeleton

CHOICES = list(chain.from_iterable(combinations(PARTS, count) for count in range(1, 5)))
HOOKS = {
    "model": "intertwiner_models",
    "dataset": "intertwiner_datasets",
    "kernel": "intertwiner_kernels",
    "aggregator": "intertwiner_aggregators",
}


def installed(folder, name):
    """Where Python finds the plugin as if pip had installed it."""
    source = folder / "src"
    record = source / f"{name.replace('-', '_')}-0.1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    declared = tomllib.loads((folder / "pyproject.toml").read_text())
    ((entry, module),) = declared["project"]["entry-points"]["intertwiner"].items()
    (record / "entry_points.txt").write_text(f"[intertwiner]\n{entry} = {module}\n")
    return source


@pytest.mark.parametrize("parts", CHOICES, ids=lambda parts: "-".join(parts))
def test_every_choice_of_parts_declares_just_these(parts, tmp_path):
    written = write_skeleton("my-plugin", tmp_path / "it", parts)
    for path in written:
        text = path.read_text()
        assert "$" not in text
        assert "#[" not in text
        if path.suffix == ".py":
            ast.parse(text)
    declared = (tmp_path / "it/src/my_plugin/_plugin.py").read_text()
    names = {node.name for node in ast.parse(declared).body if isinstance(node, ast.FunctionDef)}
    assert names == {HOOKS[part] for part in parts}


def test_a_whole_plugin_passes_its_tests_and_the_kit_as_written(tmp_path, toy_environment_of):
    folder = tmp_path / "it"
    write_skeleton("my-plugin", folder, PARTS)
    environment = toy_environment_of()
    environment["PYTHONPATH"] = f"{installed(folder, 'my-plugin')}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "13 passed" in done.stdout


def test_an_unsuitable_name_or_part_is_refused(tmp_path):
    for name in ("My-Plugin", "my_plugin", "1st", "a--b", "", "class", "../up"):
        with pytest.raises(ConfigError, match="plugin name"):
            write_skeleton(name, tmp_path / "it")
    with pytest.raises(ConfigError, match="not 'modl'"):
        write_skeleton("my-plugin", tmp_path / "it", ["modl"])
    with pytest.raises(ConfigError, match="not nothing"):
        write_skeleton("my-plugin", tmp_path / "it", [])
    assert not (tmp_path / "it").exists()


def test_nothing_that_exists_is_written_over(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(ConfigError, match="there already"):
        write_skeleton("my-plugin", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


def test_the_command_says_what_it_wrote_and_what_comes_next(command, tmp_path):
    done = command("new", "my-plugin", "--kernel", "--out", str(tmp_path / "it"))
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "it/src/my_plugin/kernels.py") in done.stdout
    assert "intertwiner check my-plugin" in done.stdout
