"""From a name and the parts asked for to a folder that `pip install -e` takes."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterator
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from intertwiner import __version__
from intertwiner.atomic import write_atomically
from intertwiner.errors import ConfigError

__all__ = ["PARTS", "write_skeleton"]

PARTS: Final = ("model", "dataset", "kernel", "aggregator")
"""What a plugin can begin with."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MARK = re.compile(r"#\[(\w+(?: \w+)*)\]\n")
_FILES: Final = {
    "pyproject.toml": PARTS,
    "README.md": PARTS,
    "CHANGELOG.md": PARTS,
    "src/$package/__init__.py": PARTS,
    "src/$package/_plugin.py": PARTS,
    "src/$package/config.py": ("model", "dataset", "aggregator"),
    "src/$package/model.py": ("model",),
    "src/$package/data.py": ("dataset",),
    "src/$package/kernels.py": ("kernel",),
    "src/$package/aggregate.py": ("aggregator",),
    "tests/test_plugin.py": PARTS,
    "tests/test_model.py": ("model",),
    "tests/test_data.py": ("dataset",),
    "tests/test_kernels.py": ("kernel",),
    "tests/test_aggregate.py": ("aggregator",),
}
"""Every file of a skeleton, and the parts that bring it."""


def write_skeleton(name: str, folder: Path, parts: Collection[str] = PARTS[:2]) -> list[Path]:
    """Writes the plugin `name` into `folder`, which must not exist yet; returns its files.

    name: lower case, digits and hyphens; with `_` for `-` it is also the package's name.
    parts: any of `PARTS`.

    Raises `ConfigError` for a name that will not do, no part or an unknown one, and a folder that
    is there already: nothing is ever written over.
    """
    package = _package(name)
    _check_parts(parts)
    if folder.exists():
        raise ConfigError(f"{folder}: is there already; nothing was written. Give another --out")
    written = []
    for path, text in _rendered(name, package, parts):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, [text.encode()])
        written.append(target)
    return written


def _package(name: str) -> str:
    package = name.replace("-", "_")
    if _NAME.fullmatch(name) is None or keyword.iskeyword(package):
        raise ConfigError(
            f"plugin name {name!r}: use lower case, digits and single hyphens, a letter first, "
            "such as 'pair-potential'"
        )
    return package


def _check_parts(parts: Collection[str]) -> None:
    unknown = [part for part in parts if part not in PARTS]
    if unknown or not parts:
        found = repr(unknown[0]) if unknown else "nothing"
        raise ConfigError(f"parts of a plugin: {', '.join(PARTS)}; not {found}")


def _rendered(name: str, package: str, parts: Collection[str]) -> Iterator[tuple[str, str]]:
    """Path inside the plugin's folder and text of every file these parts need."""
    values = {
        "name": name,
        "package": package,
        "upper": ".".join(_next_minor(__version__)),
        "version": ".".join(__version__.split(".")[:2]),
    }
    for path, wanted_by in _FILES.items():
        if any(part in parts for part in wanted_by):
            yield Template(path).substitute(values), _fill(path, values, parts)


def _next_minor(version: str) -> tuple[str, str]:
    major, minor, *_ = version.split(".")
    return major, str(int(minor) + 1)


def _fill(path: str, values: dict[str, str], parts: Collection[str]) -> str:
    kind = "tests" if path.startswith("tests/") else "package"
    template = files("intertwiner.skeleton") / "templates" / kind / f"{Path(path).name}.txt"
    return Template(_keep(template.read_text(encoding="utf-8"), parts)).substitute(values)


def _keep(text: str, parts: Collection[str]) -> str:
    """Lines between `#[a b]` and `#[end]` stay if part a or b was asked for; blocks may nest.

    `#[not a]` keeps its lines when a was not.
    """
    kept, open_blocks = [], [True]
    for line in text.splitlines(keepends=True):
        found = _MARK.fullmatch(line)
        if found is None:
            kept += [line] if all(open_blocks) else []
        elif found[1] == "end":
            open_blocks.pop()
        else:
            open_blocks.append(_wanted(found[1].split(), parts))
    return "".join(kept)


def _wanted(words: list[str], parts: Collection[str]) -> bool:
    return words[1] not in parts if words[0] == "not" else bool(set(words) & set(parts))
