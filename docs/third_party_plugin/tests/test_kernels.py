from __future__ import annotations

import torch

from tiny_painn.kernels import by_component, edge_by_edge

WEIGHTS = torch.tensor([[2.0, 3.0, 5.0]])
UP = torch.tensor([[0.0, 0, 1]])
VECTORS = torch.tensor([[[0.0], [0], [0]], [[1.0], [0], [0]]])
FROM_ONE, TO_ZERO = torch.tensor([1]), torch.tensor([0])


def test_an_atom_hears_what_its_neighbour_says_and_where_it_stands():
    for form in (edge_by_edge, by_component):
        scalars, vectors = form(WEIGHTS, UP, VECTORS, FROM_ONE, TO_ZERO)
        assert scalars.tolist() == [[2.0], [0.0]]
        assert vectors[..., 0].tolist() == [[3.0, 0.0, 5.0], [0.0, 0.0, 0.0]]
