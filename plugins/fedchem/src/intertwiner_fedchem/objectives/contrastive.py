"""MOON: a client's embeddings stay nearer to the global model's than to its own last ones."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Batch

from intertwiner.errors import ConfigError
from intertwiner.federated.arrays import load_arrays
from intertwiner.federated.client import ClientContext
from intertwiner_fedchem.objectives.config import MoonConfig
from intertwiner_fedchem.objectives.sweep import sweep

__all__ = ["Moon", "contrast"]


class Moon:
    """loss + mu mean(-log(e_global / (e_global + e_last))), e_k = exp(c(z, z_k) / temperature),
    with c the cosine of embeddings (Li et al. 2021, arXiv:2103.16257).

    Embeddings of both frozen models are found once in a round. In its first round a client has no
    last model, and the term is left out. Raises `ConfigError` for a model that has no
    `embedding(batch)` with `outputs(embedding)`.
    """

    def __init__(self, config: MoonConfig, context: ClientContext) -> None:
        self.config, self.context = config, context
        if not (hasattr(context.model, "embedding") and hasattr(context.model, "outputs")):
            raise ConfigError(
                f"{type(context.model).__name__} declares no embedding(batch) with "
                "outputs(embedding); use fedprox"
            )
        self.frozen = self._frozen() if context.remembered and config.mu else None

    def _frozen(self) -> tuple[Tensor, Tensor]:
        """Embeddings of all records by the global model and by this client's last one."""
        given, model = self.context, self.context.model
        (of_global,) = sweep(given, self._embeddings)
        load_arrays(model, given.remembered)
        (of_last,) = sweep(given, self._embeddings)
        load_arrays(model, given.arrays)
        return of_global, of_last

    def _embeddings(self, batch: Batch) -> tuple[Tensor]:
        found: Tensor = self.context.model.embedding(batch)  # type: ignore[operator]
        return (found,)

    def __call__(self, batch: Batch) -> Tensor:
        objective, model = self.context.objective, self.context.model
        if self.frozen is None:
            plain: Tensor = objective(batch)
            return plain
        (embedding,) = self._embeddings(batch)
        predictions: Mapping[str, Tensor] = model.outputs(embedding)  # type: ignore[operator]
        near, far = (table[batch.record_numbers] for table in self.frozen)
        term = contrast(embedding, near, far, self.config.temperature).mean()
        return objective.loss_of(model, batch, predictions) + self.config.mu * term

    def remember(self) -> dict[str, Tensor]:
        """The weights this client arrived at."""
        return dict(self.context.model.state_dict())


def contrast(
    embedding: Float[Tensor, "graphs channels"],
    near: Float[Tensor, "graphs channels"],
    far: Float[Tensor, "graphs channels"],
    temperature: float,
) -> Float[Tensor, " graphs"]:
    """-log of the share of `near` in the softmax over cosines with `near` and `far`."""
    cosines = [torch.cosine_similarity(embedding, other) / temperature for other in (near, far)]
    return torch.nn.functional.softplus(cosines[1] - cosines[0])
