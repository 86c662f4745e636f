"""Which client has which records: pure functions of records, number of clients and seed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.data.splits import permutation
from intertwiner.errors import ConfigError
from intertwiner.federated.settings import FederationConfig
from intertwiner.specs import load_target

__all__ = ["dirichlet_partition", "groups_of", "partition", "random_partition"]

Indices = NDArray[np.int64]
TRIES: Final = 1000
BINS: Final = 10


def partition(
    records: Sequence[Data], settings: FederationConfig, seed: int, target: str = ""
) -> list[Indices]:
    """The record numbers of every client, sorted, by the scheme of the settings.

    target: the field that makes groups where `settings.group_by` is empty. Raises `ConfigError`
    for more clients than records, an unknown scheme or field, and shares that cannot be had.
    """
    count, clients = len(records), settings.clients
    if clients * settings.smallest > count:
        raise ConfigError(
            f"federation.clients: {clients} clients with {settings.smallest} records or more need "
            f"{clients * settings.smallest} training records, there are {count}"
        )
    if settings.partition == "random":
        return random_partition(count, clients, seed)
    if settings.partition == "dirichlet":
        groups = groups_of(records, settings.group_by or target)
        return dirichlet_partition(groups, clients, settings.alpha, seed, settings.smallest)
    if ":" not in settings.partition:
        raise ConfigError(
            f"federation.partition: {settings.partition!r} is not known; there are random, "
            "dirichlet, and 'package.module:function'"
        )
    return _own(load_target(settings.partition), records, settings, seed)


def random_partition(count: int, clients: int, seed: int) -> list[Indices]:
    """Equal shares, to one record, in random order."""
    return [np.sort(part) for part in np.array_split(permutation(count, seed, 1), clients)]


def dirichlet_partition(
    groups: Sequence[Any], clients: int, alpha: float, seed: int, smallest: int = 1
) -> list[Indices]:
    """Every group is shared out in proportions p ~ Dirichlet(alpha, ..., alpha), records of a
    group independently (a multinomial draw), until every client has `smallest` records.

    The scheme of Hsu et al. 2019 (arXiv:1909.06335), group by group. Raises `ConfigError` when it
    cannot be had in 1000 draws.
    """
    _, group_of = np.unique(np.asarray(groups), return_inverse=True)
    for attempt in range(TRIES):
        random = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, 2, attempt])))
        owner = _owners(group_of, clients, alpha, random)
        if np.bincount(owner, minlength=clients).min() >= smallest:
            return [np.flatnonzero(owner == client) for client in range(clients)]
    raise ConfigError(
        f"federation.alpha: {alpha} leaves some of {clients} clients with fewer than {smallest} of "
        f"{len(group_of)} records in {TRIES} draws; raise alpha or ask for fewer clients"
    )


def _owners(
    group_of: NDArray[np.intp], clients: int, alpha: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """The client of every record."""
    owner = np.zeros(len(group_of), dtype=np.int64)
    for group in range(int(group_of.max()) + 1):
        members = np.flatnonzero(group_of == group)
        shares = random.dirichlet(np.full(clients, alpha))
        owner[members] = random.choice(clients, size=len(members), p=shares)
    return owner


def groups_of(records: Sequence[Data], name: str) -> list[Any]:
    """The group of every record: its attribute `name`; floating numbers by the tenth they fall in,
    vectors by that of their length.

    Raises `ConfigError` when a record has no such attribute.
    """
    if not name or any(name not in record for record in records):
        raise ConfigError(
            f"federation.group_by: {name!r} is not in every record; name a field or an attribute, "
            "or use --federation.partition random"
        )
    values = [record[name] for record in records]
    if not isinstance(values[0], Tensor):
        return [str(value) for value in values]
    numbers = np.array([float(v if v.numel() == 1 else v.double().norm()) for v in values])
    if not values[0].is_floating_point() and values[0].numel() == 1:
        return list(numbers)
    known = np.nan_to_num(numbers, nan=np.nanmean(numbers))
    edges = np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])
    return list(np.searchsorted(edges, known))


def _own(
    scheme: Callable[..., Any], records: Sequence[Data], settings: FederationConfig, seed: int
) -> list[Indices]:
    """The shares of a function brought by the user, looked over."""
    takes_alpha = "alpha" in inspect.signature(scheme).parameters
    given = {"alpha": settings.alpha} if takes_alpha else {}
    parts = [np.sort(np.asarray(part)) for part in scheme(records, settings.clients, seed, **given)]
    everything = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    whole = len(parts) == settings.clients and all(len(part) for part in parts)
    if not whole or len(np.unique(everything)) != len(everything):
        raise ConfigError(
            f"federation.partition: {settings.partition} gave {len(parts)} shares of "
            f"{[len(part) for part in parts]} records; {settings.clients} disjoint ones that are "
            "not empty are asked for"
        )
    return parts
