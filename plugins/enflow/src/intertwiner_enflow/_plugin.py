"""What this plugin brings: equivariant flows, their targets and experiments. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner import hookimpl
from intertwiner.specs import DatasetSpec
from intertwiner_enflow.datasets.specs import dataset_specs


@hookimpl
def intertwiner_datasets() -> Iterable[DatasetSpec]:
    yield from dataset_specs()
