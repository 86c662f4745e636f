"""One operation, several implementations: the best one that can run here serves, and says so.

`INTERTWINER_KERNELS` chooses by hand: `reference` forces the plain-torch oracle of every
operation; a comma-separated list of kernel names prefers those. An implementation that fails at
run time fails by name; nothing is replaced silently.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch

from intertwiner.config import suggestion
from intertwiner.errors import IntertwinerError, KernelFallback, LookupFailed
from intertwiner.registry import Entry, Registry, load_registry
from intertwiner.specs import KernelSpec, load_target

__all__ = ["KernelError", "KernelFallback", "Ranked", "dispatch", "rank"]

SETTING: Final = "INTERTWINER_KERNELS"


class KernelError(IntertwinerError):
    """A kernel raised while it ran."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A kernel for an operation, and why it cannot serve here (None when it can)."""

    entry: Entry[KernelSpec]
    obstacle: str | None
    applies: bool


def rank(registry: Registry, op: str, device: torch.device, dtype: torch.dtype) -> list[Ranked]:
    """All kernels of `op`, best first. Raises `LookupFailed` when no plugin has the operation."""
    entries = [entry for entry in registry.kernels if entry.spec.op == op]
    if not entries:
        known = {entry.spec.op for entry in registry.kernels}
        raise LookupFailed(f"no kernel serves {op!r}{suggestion(op, known)}")
    entries.sort(key=lambda entry: (-entry.spec.priority, entry.id))
    return [_rank(entry, device, dtype) for entry in entries]


def _rank(entry: Entry[KernelSpec], device: torch.device, dtype: torch.dtype) -> Ranked:
    spec = entry.spec
    if spec.device not in ("any", device.type):
        return Ranked(entry, f"runs on {spec.device} only", applies=False)
    name = str(dtype).removeprefix("torch.")
    if name not in spec.dtypes:
        return Ranked(entry, f"takes {', '.join(spec.dtypes)}, not {name}", applies=False)
    absent = [module for module in spec.requires if importlib.util.find_spec(module) is None]
    if absent:
        missing = " ".join(absent)
        return Ranked(entry, f"needs {missing}; run: pip install {missing}", applies=True)
    return Ranked(entry, None, applies=True)


def dispatch(op: str, device: torch.device, dtype: torch.dtype) -> Callable[..., Any]:
    """The implementation of `op` for tensors of this device and dtype."""
    return _dispatch(op, device.type, dtype, os.environ.get(SETTING, ""))


@functools.cache
def _dispatch(op: str, device: str, dtype: torch.dtype, wanted: str) -> Callable[..., Any]:
    return serve(load_registry(), op, torch.device(device), dtype, wanted)


def serve(
    registry: Registry, op: str, device: torch.device, dtype: torch.dtype, wanted: str = ""
) -> Callable[..., Any]:
    """As `dispatch`, from a given registry; `wanted` is the value of the setting."""
    ranked = rank(registry, op, device, dtype)
    if wanted == "reference":
        reference: Callable[..., Any] = load_target(ranked[0].entry.spec.reference)
        return reference
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    _check_names(registry, names)
    ranked.sort(key=lambda item: _preference(item.entry, names))
    for item in ranked:
        if item.obstacle is None:
            return _guarded(item.entry)
        if item.applies:
            text = f"kernel {item.entry.id} for {op} is left out: {item.obstacle}"
            warnings.warn(text, KernelFallback, stacklevel=3)
    reasons = "; ".join(f"{item.entry.id} {item.obstacle}" for item in ranked)
    raise LookupFailed(
        f"no kernel for {op} on {device} with {dtype}: {reasons}. "
        f"Set {SETTING}=reference for the plain one"
    )


def _check_names(registry: Registry, names: list[str]) -> None:
    known = {entry.spec.name for entry in registry.kernels}
    for name in names:
        if name not in known:
            raise LookupFailed(f"{SETTING}: no kernel {name!r}{suggestion(name, known)}")


def _preference(entry: Entry[KernelSpec], names: list[str]) -> int:
    return names.index(entry.spec.name) if entry.spec.name in names else len(names)


def _guarded(entry: Entry[KernelSpec]) -> Callable[..., Any]:
    function: Callable[..., Any] = load_target(entry.spec.target)

    @functools.wraps(function)
    def run(*arguments: Any, **settings: Any) -> Any:
        try:
            return function(*arguments, **settings)
        except IntertwinerError:
            raise
        except Exception as error:
            raise KernelError(
                f"kernel {entry.id} ({entry.spec.op}) failed: {type(error).__name__}: {error}; "
                f"set {SETTING}=reference to run without it"
            ) from error

    return run
