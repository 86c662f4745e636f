"""Sphinx directives for what `declared` writes: `{hook}`, `{record}`, `{verb}` and the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from declared import DIRECTIVES
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

__all__ = ["setup"]


def _directive(write: Callable[[str], str]) -> type[SphinxDirective]:
    class Declared(SphinxDirective):
        optional_arguments = 1
        final_argument_whitespace = True

        def run(self) -> list[nodes.Node]:
            text = write(self.arguments[0] if self.arguments else "")
            return self.parse_text_to_nodes(text, offset=0)

    return Declared


def setup(app: Sphinx) -> dict[str, Any]:
    for name, write in DIRECTIVES.items():
        app.add_directive(name, _directive(write))
    return {"parallel_read_safe": True}
