"""Which plugins are installed: entry points of the group `intertwiner`, one claim per name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata

from intertwiner.hookspecs import PROJECT
from intertwiner.registry.entries import Failure

__all__ = ["Claim", "check_core", "discover", "refuse_shared_names"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A distribution's claim to a plugin name: the module that declares it."""

    plugin: str
    module: str
    distribution: str
    version: str
    requires: tuple[str, ...] = ()


def discover() -> list[Claim]:
    """Every entry point of the group, sorted by plugin name and distribution."""
    claims = {_claim(point) for point in metadata.entry_points(group=PROJECT)}
    return sorted(claims, key=lambda claim: (claim.plugin, claim.distribution))


def _claim(point: metadata.EntryPoint) -> Claim:
    distribution = point.dist
    if distribution is None:
        return Claim(point.name, point.value, "unknown", "")
    return Claim(
        plugin=point.name,
        module=point.value,
        distribution=distribution.name,
        version=distribution.version,
        requires=tuple(distribution.requires or ()),
    )


def refuse_shared_names(claims: Iterable[Claim]) -> tuple[list[Claim], list[Failure]]:
    """Claims whose name is theirs alone, and a failure for every other one."""
    by_name: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_name[claim.plugin].append(claim)
    alone = [group[0] for group in by_name.values() if len(group) == 1]
    failures = [
        Failure(claim.plugin, claim.distribution, claim.version, "discovery", _shared(group))
        for group in by_name.values()
        if len(group) > 1
        for claim in group
    ]
    return alone, failures


def _shared(group: list[Claim]) -> str:
    names = " and ".join(f"{claim.distribution} {claim.version}".strip() for claim in group)
    return (
        f"{names} both claim the plugin name {group[0].plugin!r}, so neither is used; "
        f"uninstall one: pip uninstall {group[-1].distribution}"
    )


def check_core(claim: Claim, core_version: str) -> str | None:
    """Why this plugin cannot run on the installed core, or None when it can."""
    for text in claim.requires:
        if re.match(rf"{PROJECT}\s*(?![\w.\-])", text) is None:
            continue
        from packaging.requirements import Requirement

        requirement = Requirement(text)
        if not requirement.specifier.contains(core_version, prereleases=True):
            needed = f"{PROJECT}{requirement.specifier}"
            return (
                f"it needs {needed}, and {PROJECT} {core_version} is installed; "
                f"run: pip install '{needed}'"
            )
    return None
