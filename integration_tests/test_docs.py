"""The documentation keeps up with the code: what exists and is not named there fails here."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from intertwiner import __all__ as face
from intertwiner import fields, specs
from intertwiner.cli import VERBS
from intertwiner.config import flags_to_overrides
from intertwiner.registry import KINDS, load_registry
from intertwiner.schema import Schema
from intertwiner.training import recipes
from intertwiner.training.settings import TrainingConfig
from intertwiner.training.task import SECTIONS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *DOCS.glob("plugins/*.md")])
COMMANDS = [f"pip install nox && nox -s {session}" for session in ("demo", "tests")]
FENCE = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"\bINTERTWINER_[A-Z][A-Z_]+\b")
RECORDS = [
    kind
    for module in (specs, fields, recipes)
    for name in module.__all__
    if dataclasses.is_dataclass(kind := getattr(module, name))
] + [Schema]


def _declared() -> ModuleType:
    """The generator of the site's tables, which lies beside the pages."""
    spec = importlib.util.spec_from_file_location("declared", DOCS / "_ext" / "declared.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["declared"] = module
    spec.loader.exec_module(module)
    return module


declared = _declared()


def page(name: str) -> str:
    """A page as the site shows it, tables and examples filled in."""
    text: str = declared.expanded(DOCS / name)
    return text


def section(text: str, title: str) -> str:
    """From a heading to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", text, re.M | re.S)
    assert found is not None, f"no section {title!r}"
    return found[1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_hook_has_a_section_whose_example_works(kind):
    text = page("hooks.md")
    shown = text[text.index(f"## intertwiner_{kind}\n") :]
    found = re.search(r"^```python\n(.*?)^```$", shown, re.M | re.S)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    (record,) = names[f"intertwiner_{kind}"]()
    assert type(record) is KINDS[kind]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_section_with_its_options(verb):
    shown = section(page("command-line.md"), verb)
    assert f"usage: intertwiner {verb}" in shown
    assert VERBS[verb].split()[0] in shown


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_every_record_has_a_table_of_its_fields(kind):
    text = page("records.md")
    own = [field.name for field in dataclasses.fields(kind) if field.name in kind.__annotations__]
    title = "What every record says" if kind is specs.Spec else kind.__name__
    title = "What a model is built for" if kind is Schema else title
    shown = section(text, title)
    for name in own:
        assert f"| `{name}` |" in shown, name


def test_every_structure_site_and_setting_of_training_is_named():
    records, settings = page("records.md"), page("settings.md")
    sites = (fields.GRAPH, fields.NODE, fields.EDGE, fields.VERTEX, fields.FACE, fields.VOXEL)
    for word in (*sites, *(structure.value for structure in fields.Structure)):
        assert f"`{word}`" in records, word
    for field in dataclasses.fields(TrainingConfig):
        assert f"| `{field.name}` |" in settings, field.name


def test_every_environment_variable_is_documented():
    sources = [path for part in ("packages", "plugins") for path in (ROOT / part).rglob("*.py")]
    used = {name for path in sources for name in VARIABLE.findall(path.read_text("utf-8"))}
    assert "INTERTWINER_DATA" in used
    assert used <= set(VARIABLE.findall(page("settings.md")))


def test_every_plugin_of_this_repository_has_a_page_that_names_all_it_brings():
    ours = re.findall(
        r"^\[project\.entry-points\.intertwiner\]\n([\w-]+) = ",
        "\n".join(path.read_text("utf-8") for path in ROOT.glob("p*/*/pyproject.toml")),
        re.MULTILINE,
    )
    assert ours
    index, readme = (DOCS / "index.md").read_text("utf-8"), (ROOT / "README.md").read_text("utf-8")
    for name in ours:
        text = page(f"plugins/{name}.md")
        plugin = load_registry().plugin(name)
        for kind in KINDS:
            for entry in plugin.entries(kind):
                assert f"`{entry.id}`" in text
        assert f"plugins/{name}.md" in index
        assert f"`{name}`" in readme


def test_every_target_of_a_dataset_is_named_with_its_unit():
    for entry in load_registry().plugin("atoms").entries("datasets"):
        text = page("plugins/atoms.md")
        for field in entry.spec.targets:
            assert f"| `{field.name}` |" in text
            assert field.unit in text


def test_the_python_face_is_documented():
    text = page("command-line.md") + page("hooks.md")
    for name in face:
        assert name in text or name in ("__version__", "IntertwinerError"), name


def test_the_page_of_faults_and_the_markers_agree():
    rows = re.findall(r"^\| (F\d\d) \| \D", (DOCS / "faults.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == set(declared.fault_tests())


def test_readme_has_the_two_commands_and_contributing_every_session():
    readme = (ROOT / "README.md").read_text("utf-8")
    for command in COMMANDS:
        assert re.search(rf"^\s*{re.escape(command)}$", readme, re.MULTILINE), command
    noxfile = (ROOT / "noxfile.py").read_text("utf-8")
    sessions = re.findall(r"^@nox\.session\n(?:@.*\n)*def (\w+)\(", noxfile, re.MULTILINE)
    assert "demo" in sessions
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", contributing, re.M)) == set(sessions)


def commands() -> list[list[str]]:
    """The words of every `intertwiner ...` line in a block of the pages and the README."""
    texts = [path.read_text("utf-8") for path in (*PAGES, ROOT / "README.md")]
    blocks = [block.replace("\\\n", " ") for text in texts for block in FENCE.findall(text)]
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("intertwi")]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_shown_names_a_verb_items_and_settings_that_exist(words):
    verb, *rest = words
    assert verb in VERBS
    registry = load_registry()
    kinds = {"train": ("models", "datasets"), "match": ("models", "datasets")}
    for kind, name in zip(kinds.get(verb, ()), rest, strict=False):
        registry.find(kind, name)
    if verb == "reproduce":
        registry.recipe(rest[0])
    if verb == "train":
        flags = [word for word in rest if word.startswith("--") and "." in word]
        values = [rest[rest.index(flag) + 1] for flag in flags]
        pairs = [word for pair in zip(flags, values, strict=True) for word in pair]
        chosen = flags_to_overrides(pairs, SECTIONS)
        configs = {
            "model": specs.load_target(registry.model(rest[0]).spec.config),
            "data": specs.load_target(registry.dataset(rest[1]).spec.config),
            "training": TrainingConfig,
        }
        for name, values_of in chosen.items():
            assert set(values_of) <= {field.name for field in dataclasses.fields(configs[name])}


def test_every_link_between_pages_leads_to_a_page():
    for path in (*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
            if "://" not in link:
                assert (path.parent / link).exists(), f"{path.name}: {link}"


def test_the_readmes_python_is_right_up_to_its_training():
    """The names of the block exist; the training itself is what the newcomer page runs."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", readme, re.M | re.S)
    compile(block, "README.md", "exec")
    for name in re.findall(r"intertwiner\.(\w+)\(", block):
        assert name in face
