"""Makes the toy plugins importable, as installed ones are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "plugins"))


@pytest.fixture(scope="session")
def toys():
    """The registry of the toy plugins."""
    import conformance_toys.empty
    import conformance_toys.honest
    import conformance_toys.liar

    from intertwiner.registry import Registry

    return Registry.from_modules(
        {
            "honest": conformance_toys.honest,
            "liar": conformance_toys.liar,
            "empty": conformance_toys.empty,
        }
    )
