"""The app that Flower carries to the processes: a few lines that point at this package."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Final

__all__ = ["write_bundle"]

PROJECT: Final = """\
[project]
name = "federation"
version = "1.0.0"
description = "A federation of intertwiner"
license = {{ file = "LICENSE" }}
dependencies = ["flwr>=1.41"]

[tool.flwr.app]
publisher = "intertwiner"
fab-format-version = 1
flwr-version-target = "{version}"

[tool.flwr.app.components]
serverapp = "federation.server:app"
clientapp = "federation.client:app"

[tool.flwr.app.config]
plan = ""
"""


def write_bundle(folder: Path) -> Path:
    """Writes the app into `folder`, which must not exist, and gives it back."""
    package = folder / "federation"
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT.format(version=version("flwr")))
    (folder / "LICENSE").write_text("MIT\n")
    (package / "__init__.py").write_text("")
    for name in ("server", "client"):
        line = f"from intertwiner_fedchem.flower.{name}_app import app\n\n__all__ = ['app']\n"
        (package / f"{name}.py").write_text(line)
    return folder
