"""Maps from unbounded numbers u to features v that stand for a class or a whole number.

A class (Hoogeboom et al. 2021, arXiv:2102.05379): the entry of the true class is kept, T, and all
others are pressed below it, T - softplus(T - u); the class is the argmax of v. A whole number
(Uria et al. 2013; Ho et al. 2019): v = Z + sigmoid(u); the number is the floor of v.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

__all__ = ["class_of", "integer_of", "lift_class", "lift_integer"]


def lift_class(
    u: Float[Tensor, "*shape classes"], one_hot: Float[Tensor, "*shape classes"]
) -> tuple[Float[Tensor, "*shape classes"], Float[Tensor, "*shape"]]:
    """v whose largest entry is that of the class, and the log-determinant of the map from u."""
    top = (u * one_hot).sum(dim=-1, keepdim=True)
    below = top - softplus(top - u)
    v = torch.where(one_hot > 0, u, below)
    change = (logsigmoid(top - u) * (1 - one_hot)).sum(dim=-1)
    return v, change


def lift_integer(
    u: Float[Tensor, "*shape"], number: Float[Tensor, "*shape"]
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    """v in (Z, Z + 1), and the log-determinant of the map from u."""
    return number + u.sigmoid(), logsigmoid(u) + logsigmoid(-u)


def class_of(v: Float[Tensor, "*shape classes"]) -> Int[Tensor, "*shape"]:
    """The class that v stands for."""
    return v.argmax(dim=-1)


def integer_of(v: Float[Tensor, "*shape"]) -> Int[Tensor, "*shape"]:
    """The whole number that v stands for."""
    return v.floor().long()
