"""Several small perceptrons with a linear skip, evaluated as one batched product."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Perceptrons", "train_perceptrons"]

LEARNING_RATE, WEIGHT_DECAY, BATCH, EPOCHS = 5e-3, 2.0, 32, 80


class Perceptrons(nn.Module):
    """`members` networks inputs -> hidden (SiLU) -> outputs, each with a linear term beside.

    In training every member drops inputs of its own with probability `input_dropout`.
    """

    def __init__(
        self, members: int, inputs: int, hidden: int, outputs: int, input_dropout: float
    ) -> None:
        super().__init__()
        self.input_dropout = input_dropout
        self.first = nn.Parameter(torch.randn(members, inputs, hidden) * inputs**-0.5)
        self.first_bias = nn.Parameter(torch.zeros(members, 1, hidden))
        self.second = nn.Parameter(torch.randn(members, hidden, outputs) * hidden**-0.5)
        self.second_bias = nn.Parameter(torch.zeros(members, 1, outputs))
        self.skip = nn.Parameter(torch.zeros(members, inputs, outputs))

    def forward(
        self, x: Float[Tensor, "records inputs"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "members records outputs"]:
        """Predictions of every member; generator: where the masks of training are drawn from."""
        x = x.expand(len(self.first), *x.shape)
        if self.training and self.input_dropout:
            drawn = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device)
            x = x * (drawn >= self.input_dropout) / (1 - self.input_dropout)
        hidden = nn.functional.silu(torch.baddbmm(self.first_bias, x, self.first))
        return torch.baddbmm(self.second_bias, hidden, self.second) + x @ self.skip


def train_perceptrons(
    perceptrons: Perceptrons,
    x: Float[Tensor, "records inputs"],
    y: Float[Tensor, "records outputs"],
    generator: torch.Generator,
    epochs: int = EPOCHS,
) -> None:
    """AdamW with one cycle of the learning rate; x clipped, y standardised. In place."""
    steps = epochs * max(1, len(x) // BATCH)
    optimizer = torch.optim.AdamW(
        perceptrons.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    perceptrons.train()
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=generator)
        for rows in order[: max(BATCH, len(x) - len(x) % BATCH)].split(BATCH):
            error = perceptrons(x[rows], generator) - y[rows]
            loss = error.square().mean(dim=(1, 2)).sum()
            loss.backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    perceptrons.eval()
