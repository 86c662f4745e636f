"""Targets by the names that the command line and the datasets use."""

from __future__ import annotations

from intertwiner.errors import ConfigError
from intertwiner_enflow.targets.base import Target
from intertwiner_enflow.targets.double_well import DoubleWell
from intertwiner_enflow.targets.lennard_jones import LennardJones, Pair

__all__ = ["target_named"]

_LENNARD_JONES = {"lj13": 13, "lj55": 55}


def target_named(name: str, pair: Pair | None = None) -> Target:
    """The target "dw4", "lj13" or "lj55".

    Raises `ConfigError` for another name and for a `pair` that is missing (Lennard-Jones) or
    without meaning (DW4).
    """
    if name == "dw4":
        if pair is not None:
            raise ConfigError(f"dw4 has one convention: leave pair out, not {pair!r}")
        return DoubleWell()
    if name not in _LENNARD_JONES:
        raise ConfigError(f"no target {name!r}; there are dw4, lj13, lj55")
    try:
        return LennardJones(_LENNARD_JONES[name], pair=pair)
    except TypeError as error:
        raise ConfigError(str(error)) from error
