"""The site: `nox -s docs`, or `sphinx-build -W docs docs/_build/html` where all is installed."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "intertwiner"
author = "the intertwiner authors"
extensions = ["myst_parser", "declared_directives"]
exclude_patterns = ["_build", "_ext", "third_party_plugin"]
nitpicky = True

html_theme = "furo"
html_title = "intertwiner"
html_show_copyright = False

myst_heading_anchors = 3
