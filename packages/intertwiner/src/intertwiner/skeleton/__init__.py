"""A new plugin's first files: small, complete, and green under the conformance kit as written.

The files lie as text under `templates`; `$name` and its like are filled in, and what belongs to
parts that were not asked for is left out. Nothing here imports torch.
"""

from __future__ import annotations

from intertwiner.skeleton.writing import PARTS, write_skeleton

__all__ = ["PARTS", "write_skeleton"]
