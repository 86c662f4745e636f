"""`intertwiner doctor`: what is here, what is broken, and what is missing for what."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from intertwiner.cli._shared import parser, print_json, table
from intertwiner.errors import IntertwinerError
from intertwiner.registry import load_registry

__all__ = ["main"]

OPTIONAL: Final = {
    "matplotlib": "learning curves: pip install 'intertwiner[viz]'",
    "pyvista": "3D pictures: pip install 'intertwiner[viz]'",
}


def main(arguments: Sequence[str]) -> int:
    options = parser("doctor", "versions, devices, failed plugins, cache, and what is missing")
    chosen = options.parse_args(arguments)
    found = _examine()
    if chosen.json:
        print_json(found)
    else:
        print(_text(found))
    return 1 if found["failed"] or "error" in found["cache"] else 0


def _examine() -> dict[str, Any]:
    import torch

    from intertwiner.training.folder import versions

    registry = load_registry()
    devices = [f"cpu, {torch.get_num_threads()} threads"]
    devices += [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return {
        "versions": versions(),
        "devices": devices,
        "plugins": [plugin.name for plugin in registry.plugins],
        "failed": [asdict(failure) for failure in registry.failed],
        "cache": _cache(),
        "missing": {
            name: use for name, use in OPTIONAL.items() if importlib.util.find_spec(name) is None
        },
    }


def _cache() -> dict[str, str]:
    from intertwiner.data.cache import cache_folder

    try:
        return {"folder": str(cache_folder())}
    except IntertwinerError as error:
        return {"error": str(error)}


def _text(found: dict[str, Any]) -> str:
    rows = [*found["versions"].items()]
    rows += [("device", device) for device in found["devices"]]
    rows += [("plugin", name) for name in found["plugins"]]
    rows += [("cache", text) for text in found["cache"].values()]
    rows += [("missing", f"{name}, for {use}") for name, use in found["missing"].items()]
    rows += [("FAILED", f"{item['plugin']}: {item['error']}") for item in found["failed"]]
    return table(("", ""), rows)
