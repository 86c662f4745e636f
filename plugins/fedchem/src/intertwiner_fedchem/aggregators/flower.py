"""Flower's strategies as pure functions.

A strategy is made anew for every round, given the state as its own, and asked to join replies
sorted by client. Arrays go in and come out in double precision, so that the order of clients, and
the dtypes that some strategies change, leave no trace.
"""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from intertwiner.errors import ConfigError
from intertwiner.federated import Aggregated, RoundContext, Update
from intertwiner.federated.updates import Arrays, State
from intertwiner_fedchem.aggregators.mean import mean_metrics

__all__ = ["FlowerStrategy", "flower_strategies"]


def flower_strategies() -> Any:
    """Flower's module of strategies. Raises `ConfigError` where Flower is missing or too old."""
    try:
        with warnings.catch_warnings():
            # What Flower's own dependencies deprecate is nothing a user here can change.
            warnings.simplefilter("ignore", DeprecationWarning)
            from flwr.serverapp import strategy
    except ImportError as error:
        raise ConfigError(
            f"this aggregator is Flower's, which cannot be imported here ({error}); run: "
            'pip install "intertwiner-fedchem[flower]"'
        ) from error
    return strategy


@dataclass(frozen=True, slots=True)
class _Reply:
    """What a strategy reads of a reply; real ones cannot be made outside of a Flower run."""

    content: Any
    metadata: Any = None
    error: Any = None

    def has_error(self) -> bool:
        return False


class FlowerStrategy:
    """Joins updates by a strategy of Flower's.

    make: gives the strategy. kept: attribute of the strategy -> name in our state; what a strategy
    keeps is a list of arrays, or a dictionary of them. fewest: least number of updates.
    """

    def __init__(
        self,
        make: Callable[[Any], Any],
        *,
        kept: Mapping[str, str] | None = None,
        fewest: int = 1,
    ) -> None:
        self._make, self._strategies = make, flower_strategies()
        self._kept = dict(kept or {})
        self.fewest = fewest

    def init(self, arrays: Arrays) -> State:
        return {}

    def aggregate(
        self, updates: Sequence[Update], arrays: Arrays, state: State, context: RoundContext
    ) -> Aggregated:
        ordered = sorted(updates, key=lambda update: update.client)
        names = sorted(arrays)
        strategy = self._make(self._strategies)
        present = {name: _numbers(arrays[name]) for name in names}
        if hasattr(strategy, "current_arrays"):
            strategy.current_arrays = _present(strategy, present)
        self._restore(strategy, names, state)
        with _quick():
            joined, _ = strategy.aggregate_train(context.round + 1, _replies(ordered, names))
        new = {name: torch.from_numpy(joined[name].numpy().copy()) for name in names}
        found = {name: new[name].to(arrays[name].dtype) for name in names}
        return Aggregated(found, self._saved(strategy, names), mean_metrics(ordered))

    def _restore(self, strategy: Any, names: Sequence[str], state: State) -> None:
        """Puts the state back into the strategy; without one it begins."""
        for attribute, prefix in self._kept.items():
            stored = [state.get(f"{prefix}/{name}") for name in names]
            values = [_numbers(value) for value in stored if isinstance(value, Tensor)]
            if len(values) == len(names):
                as_list = attribute == "momentum_vector"
                found = values if as_list else dict(zip(names, values, strict=True))
                setattr(strategy, attribute, found)

    def _saved(self, strategy: Any, names: Sequence[str]) -> State:
        found: dict[str, Tensor] = {}
        for attribute, prefix in self._kept.items():
            values = getattr(strategy, attribute)
            listed = values.values() if isinstance(values, dict) else values
            for name, value in zip(names, listed or (), strict=False):
                found[f"{prefix}/{name}"] = torch.from_numpy(np.array(value, dtype=np.float64))
        return found


@contextmanager
def _quick() -> Iterator[None]:
    """Without the lines Flower logs for every round, and with a collection of garbage, of which
    some strategies ask one for every array, that looks at nothing made before.
    """
    logger = logging.getLogger("flwr")
    level = logger.level
    logger.setLevel(logging.WARNING)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        logger.setLevel(level)


def _numbers(tensor: Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A copy in double precision: strategies change and take away what they are given."""
    return tensor.detach().to(torch.float64).numpy().copy()


def _present(strategy: Any, arrays: Mapping[str, Any]) -> Any:
    """The global arrays as the strategy wants them: adaptive ones as a plain dictionary."""
    return dict(arrays) if hasattr(strategy, "m_t") else _record(arrays)


def _record(arrays: Mapping[str, Any]) -> Any:
    from flwr.app import Array, ArrayRecord

    return ArrayRecord({name: Array(value) for name, value in arrays.items()})


def _replies(updates: Sequence[Update], names: Sequence[str]) -> list[_Reply]:
    from flwr.app import MetricRecord, RecordDict

    found = []
    for update in updates:
        arrays = _record({name: _numbers(update.arrays[name]) for name in names})
        metrics = {"num-examples": update.num_examples, "loss": update.metrics.get("loss", 0.0)}
        content = RecordDict({"arrays": arrays, "metrics": MetricRecord(metrics)})
        found.append(_Reply(content))
    return found
