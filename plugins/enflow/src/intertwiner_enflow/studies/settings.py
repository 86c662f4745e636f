"""How a flow is trained within a budget. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["FAST", "PAPER", "TUNED", "BudgetSettings", "named_settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSettings:
    """Flow matching, then likelihood, each with a schedule over its share of the budget.

    layers, features: of the network.
    fine_tune_share: share of the budget spent on likelihood; 1 for likelihood alone.
    batch_size, learning_rate: of flow matching; the rate falls as a cosine to `final_share` of
        itself, with a warm-up of 100 steps.
    fine_tune_batch, fine_tune_rate, steps: of likelihood, by Dormand-Prince with between
        steps[0] and steps[1] steps on a jittered grid; (0, 0) for adaptive steps at 1e-4.
    divergence: of likelihood.
    average_decay: of the moving average of weights, which is what is kept; 0 for none.
    fine_tune_average: decay of the average that likelihood begins anew.
    scaled: whether data are brought to unit variance.
    published: the published optimiser: AdamW with amsgrad, a constant rate.
    """

    layers: int = 3
    features: int = 32
    fine_tune_share: float = 0.0
    batch_size: int = 100
    learning_rate: float = 5e-3
    final_share: float = 0.02
    fine_tune_batch: int = 100
    fine_tune_rate: float = 5e-4
    steps: tuple[int, int] = (4, 6)
    divergence: Literal["exact", "hutchinson"] = "exact"
    average_decay: float = 0.999
    fine_tune_average: float = 0.98
    gradient_clip: float = 100.0
    scaled: bool = True
    published: bool = False


_OURS: Final = BudgetSettings(batch_size=96)
_CLUSTER: Final = BudgetSettings(batch_size=48)
FAST: Final = {"dw4": _OURS, "lj13-half": _CLUSTER, "lj13-double": _CLUSTER}
"""Target -> our settings. Multiples of 16 fill the lanes of the program; smaller batches of the
larger target make more steps in a budget."""
TUNED: Final = BudgetSettings(
    fine_tune_share=0.5, batch_size=112, fine_tune_batch=112, fine_tune_rate=2e-3,
    divergence="hutchinson",
)  # fmt: skip
"""Half of the budget for likelihood, by one probe; 112 samples fill the lanes of the program."""
PAPER: Final = BudgetSettings(
    fine_tune_average=0.0,
    fine_tune_share=1.0,
    fine_tune_rate=5e-4,
    steps=(0, 0),
    divergence="hutchinson",
    average_decay=0.0,
    scaled=False,
    published=True,
)
"""arXiv:2105.09016 as released: maximum likelihood, adaptive at 1e-4, one Rademacher probe."""


def named_settings(arm: str, target: str) -> BudgetSettings:
    """The settings of "fast" (ours, for `target`), "tuned" (with likelihood) or "paper"."""
    if arm == "tuned":
        return TUNED
    return PAPER if arm == "paper" else FAST.get(target, _OURS)
