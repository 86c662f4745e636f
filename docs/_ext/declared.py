"""What the pages say about the code, taken from the code: Markdown for the directives of the site.

Nothing here needs Sphinx, so that the tests can read a page as the site shows it: `expanded`.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import io
import os
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from enum import EnumType
from pathlib import Path
from typing import Any, Final

__all__ = ["DIRECTIVES", "expanded", "fault_tests"]

ROOT: Final = Path(__file__).resolve().parents[2]
_DIRECTIVE = re.compile(r"^```\{([a-z]+)\}[ ]*(.*)\n```$", re.MULTILINE)
_COLUMNS = re.compile(r"\S {2,}\S")
_SETTING = re.compile(r"([a-z_]+(?:, [a-z_]+)*): (.*)")


def hook(name: str) -> str:
    """A hook's docstring: what it is for, then its worked example as code."""
    hookspecs = importlib.import_module("intertwiner.hookspecs")
    text = inspect.getdoc(getattr(hookspecs, name)) or ""
    summary, _, example = text.partition("\n\n")
    imports = [
        "from intertwiner import hookimpl",
        f"from intertwiner.fields import {_used('fields', example)}",
        f"from intertwiner.specs import {_used('specs', example)}",
    ]
    needed = "\n".join(line for line in imports if not line.endswith("import "))
    return f"{summary}\n\n```python\n{needed}\n\n\n{example}\n```\n"


def _used(name: str, example: str) -> str:
    """The public names of a module that an example uses, as an import lists them."""
    public = importlib.import_module(f"intertwiner.{name}").__all__
    words = set(re.findall(r"\w+", re.sub(r'"[^"]*"', "", example)))
    return ", ".join(word for word in public if word in words)


def record(target: str) -> str:
    """A dataclass: its docstring, and a table of its own fields."""
    kind = _load(target)
    own = [field for field in dataclasses.fields(kind) if field.name in kind.__annotations__]
    known = {field.name for field in dataclasses.fields(kind)}
    rows = [f"| `{field.name}` | {_code(str(field.type))} | {_default(field)} |" for field in own]
    table = ["| field | type | default |", "|---|---|---|", *rows]
    return "\n".join([_prose(inspect.getdoc(kind) or "", known), "", *table, ""])


def members(target: str) -> str:
    """An enumeration: its docstring and its values."""
    kind: EnumType = _load(target)
    values = ", ".join(f"`{member.value}`" for member in kind)  # type: ignore[attr-defined]
    return f"{inspect.getdoc(kind)}\n\nValues: {values}.\n"


def module(name: str) -> str:
    """A module's docstring."""
    return _prose(inspect.getdoc(importlib.import_module(name)) or "", set())


def verb(name: str) -> str:
    """What `intertwiner VERB --help` prints."""
    main = importlib.import_module(f"intertwiner.cli.{name}").main
    said = io.StringIO()
    before = dict(os.environ)
    os.environ.update(COLUMNS="92", NO_COLOR="1")
    try:
        with redirect_stdout(said):
            main(["--help"])
    except SystemExit:
        pass
    finally:
        os.environ.clear()
        os.environ.update(before)
    return f"```text\n{said.getvalue().rstrip()}\n```\n"


def items(plugin: str) -> str:
    """Everything a plugin brings: id and summary, kind by kind."""
    registry = importlib.import_module("intertwiner.registry")
    found = registry.load_registry().plugin(plugin)
    rows = [
        f"| `{entry.id}` | {kind.removesuffix('s')} | {entry.spec.summary} |"
        for kind in registry.KINDS
        for entry in found.entries(kind)
    ]
    return "\n".join(["| id | kind | |", "|---|---|---|", *rows, ""])


def targets(dataset: str) -> str:
    """What can be learned from a dataset, with units."""
    registry = importlib.import_module("intertwiner.registry").load_registry()
    fields = registry.dataset(dataset).spec.targets
    rows = [
        f"| `{field.name}` | {field.rep} per {field.site} | {field.unit or '-'} | {field.summary} |"
        for field in fields
    ]
    return "\n".join(["| target | kind | unit | |", "|---|---|---|---|", *rows, ""])


def faults(_: str) -> str:
    """The tests of every fault, from their markers."""
    lines = []
    for fault, names in sorted(fault_tests().items()):
        files = sorted({name.partition("::")[0] for name in names})
        shown = ", ".join(f"`{name}`" for name in files)
        lines.append(f"| {fault} | {len(names)} | {shown} |")
    return "\n".join(["| fault | tests | in |", "|---|---|---|", *lines, ""])


def fault_tests() -> dict[str, list[str]]:
    """Fault -> the test functions marked with it, as `path::function`."""
    found: dict[str, list[str]] = {}
    folders = ("packages", "plugins", "integration_tests")
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("test_*.py")):
        for name, fault in _marked(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(fault, []).append(f"{path.relative_to(ROOT).as_posix()}::{name}")
    return {fault: sorted(set(names)) for fault, names in found.items()}


def _marked(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(test function, fault) for every marker, those of a whole module included."""
    tests = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            yield from ((test.name, fault) for test in tests for fault in _faults_in(node.value))
    for test in tests:
        for decorator in test.decorator_list:
            yield from ((test.name, fault) for fault in _faults_in(decorator))


def _faults_in(node: ast.AST) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("mark.fault"):
            yield ast.literal_eval(call.args[0])


DIRECTIVES: Final[dict[str, Callable[[str], str]]] = {
    "hook": hook,
    "record": record,
    "members": members,
    "module": module,
    "verb": verb,
    "items": items,
    "targets": targets,
    "faults": faults,
}


def expanded(page: Path) -> str:
    """The Markdown of a page with its directives carried out."""

    def carried_out(match: re.Match[str]) -> str:
        name, argument = match.groups()
        return DIRECTIVES[name](argument.strip()) if name in DIRECTIVES else match[0]

    return _DIRECTIVE.sub(carried_out, page.read_text(encoding="utf-8"))


def _load(target: str) -> Any:
    return importlib.import_module("intertwiner.specs").load_target(target)


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return _code(repr(field.default))
    if field.default_factory is not dataclasses.MISSING:
        return "empty"
    return "*must be given*"


def _prose(text: str, names: set[str]) -> str:
    """A docstring as Markdown: lines `setting: meaning` become a list, aligned text code."""
    return "\n\n".join(_paragraph(part.splitlines(), names) for part in text.split("\n\n"))


def _paragraph(lines: list[str], names: set[str]) -> str:
    indented = all(line.startswith("    ") for line in lines)
    if indented or (len(lines) > 1 and all(_COLUMNS.search(line) for line in lines)):
        return "\n".join(["```text", *textwrap.dedent("\n".join(lines)).splitlines(), "```"])
    written: list[str] = []
    in_list = False
    for line in lines:
        setting = _SETTING.fullmatch(line)
        if setting is not None and set(setting[1].split(", ")) <= names:
            written += [] if in_list or not written else [""]
            written.append(f"* `{setting[1].replace(', ', '`, `')}`: {setting[2]}")
            in_list = True
        else:
            written.append(f"  {line.strip()}" if in_list else line)
    return "\n".join(written)
