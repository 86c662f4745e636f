"""The recipes of this plugin: the benchmark's table.

Five sets, two strengths of heterogeneity, four methods, beside what one client achieves alone, what
equal clients achieve, and what one owner of all data achieves with as many steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from intertwiner.specs import Arm, RecipeSpec, Scale

__all__ = ["ALPHAS", "CLIENTS", "METHODS", "RECIPES", "SETS"]

SETS: Final = ("esol", "freesolv", "bace", "bbbp", "lipo")
ALPHAS: Final = (0.1, 1.0)
METHODS: Final = ("fedavg", "fedprox", "flit", "flit-plus")
CLIENTS: Final = 4
_SPLITS: Final = "intertwiner_fedchem.splits"
_BY_SCAFFOLD: Final = {
    "federation.partition": "dirichlet",
    "federation.group_by": "scaffold",
    "federation.smallest": 16,
}
_OFFICIAL: Final = {"federation.partition": f"{_SPLITS}.official:official_partition"}


def _arms(steps: int, partition: Mapping[str, Any], single: str) -> Iterator[Arm]:
    """All arms of one scale. steps: of a client in a round. single: partition of one client."""
    pooled = {"federation.clients": 1, "federation.local_steps": CLIENTS * steps}
    alone = {"federation.clients": 1, "federation.partition": f"{_SPLITS}.{single}"}
    for name in SETS:
        dataset = f"fedchem/{name}"
        yield Arm(name=f"{name}/centralised", overrides=pooled, **_over("fedavg", dataset))
        yield Arm(name=f"{name}/equal-clients", **_over("fedavg", dataset))
        for alpha in ALPHAS:
            shared = {"federation.alpha": alpha}
            folder = f"{name}/alpha-{alpha:g}"
            yield Arm(
                name=f"{folder}/one-client",
                overrides={**shared, **alone},
                **_over("fedavg", dataset),
            )
            for method in METHODS:
                yield Arm(
                    name=f"{folder}/{method}",
                    overrides={**shared, **partition},
                    **_over(method, dataset),
                )


def _over(method: str, dataset: str) -> dict[str, Any]:
    return {"dataset": dataset, "aggregator": f"fedchem/{method}"}


_SMALL_STEPS: Final = 10
_PAPER_STEPS: Final = 333
_COMMON: Final[dict[str, Any]] = {
    "training.gradient_clip": 1.0,
    "training.threads": 1,
    "training.accelerator": "cpu",
    "federation.clients": CLIENTS,
}

RECIPES: Final[tuple[RecipeSpec, ...]] = (
    RecipeSpec(
        name="benchmark",
        summary="Methods of federation on MoleculeNet sets divided by scaffold",
        reference="arXiv:2109.07258",
        model="fedchem/mpnn",
        dataset="fedchem/esol",
        arms=tuple(_arms(_SMALL_STEPS, _BY_SCAFFOLD, "single:first_client")),
        scales={
            "small": Scale(
                overrides={
                    **_COMMON,
                    "training.batch_size": 32,
                    "training.learning_rate": 1e-3,
                    "federation.rounds": 5,
                    "federation.local_steps": _SMALL_STEPS,
                },
                seeds=(0, 1, 2),
            ),
            "paper": Scale(
                overrides={
                    **_COMMON,
                    "training.batch_size": 64,
                    "training.learning_rate": 1e-4,
                    "training.weight_decay": 1e-5,
                    "model.standardise": False,
                    "data.split": "official",
                    "federation.rounds": 30,
                    "federation.local_steps": _PAPER_STEPS,
                    "federation.fraction": 0.75,
                    "federation.optimizer": "adam",
                },
                seeds=(0, 1, 2),
                arms=tuple(_arms(_PAPER_STEPS, _OFFICIAL, "single:first_official_client")),
            ),
        },
        report="intertwiner_fedchem.benchmark.report:report",
    ),
)
