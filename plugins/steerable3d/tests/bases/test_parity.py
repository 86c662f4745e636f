"""Harmonics, couplings, basis elements, a whole layer and equivariance errors of the authors.

Fixtures are numbers of the official code after its change of basis; they are looked for in
`INTERTWINER_PARITY_DIR`, by default `../shared/data/parity` from the repository's root.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from intertwiner_steerable3d.bases.angular import coupling, harmonics, wigner_matrix
from intertwiner_steerable3d.bases.elements import kernel_elements
from intertwiner_steerable3d.bases.lattice import lattice
from intertwiner_steerable3d.bases.radial import profiles
from intertwiner_steerable3d.bases.settings import PAPER, BasisSettings
from intertwiner_steerable3d.layers.convolution import SteerableConv3d

ROOT = Path(__file__).resolve().parents[4]
DEFAULT = ROOT.parent / "shared" / "data" / "parity"
FOLDER = Path(os.environ.get("INTERTWINER_PARITY_DIR", DEFAULT)) / "steerable3d"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no parity fixtures in {FOLDER}")


def arrays(name: str) -> dict[str, Any]:
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as file:
        return {key: torch.from_numpy(file[key]) for key in file.files}


def close(found: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


def test_harmonics_and_rotation_matrices_are_the_authors() -> None:
    stored = arrays("conventions")
    for order in range(7):
        close(harmonics(order, stored["points"]), stored[f"Y{order}"].T)
    for order in range(5):
        for number, rotation in enumerate(stored["rotations"]):
            close(wigner_matrix(order, rotation), stored[f"D{order}"][number])


def test_couplings_are_the_authors_with_our_signs() -> None:
    stored = arrays("conventions")
    names = [name for name in stored if name.startswith("Q_")]
    assert len(names) > 25
    for name in names:
        out, source, order = (int(part) for part in name.split("_")[1:])
        close(coupling(out, source, order), stored[name])


@pytest.mark.parametrize("out", range(4))
def test_basis_elements_are_the_authors(out: int) -> None:
    stored = arrays(f"basis5_compromise_lout{out}")
    for source in range(4):
        found = kernel_elements(out, source, 5, PAPER)
        assert [list(label) for label in found.labels] == stored[f"label_{out}_{source}"].tolist()
        close(found.kernels, stored[f"K_{out}_{source}"])


def test_a_layer_gives_the_authors_kernel_and_output() -> None:
    stored = arrays("layer")
    layer = SteerableConv3d((2, 1, 1), (1, 2, 1), 5, padding=0, basis=PAPER).double()
    with torch.no_grad():
        layer.weight.copy_(stored["weight"])
    close(layer.eval().to_conv3d().weight, stored["kernel"])
    close(layer(stored["x"][None])[0], stored["y"])


def test_equivariance_errors_of_stored_draws_are_reproduced() -> None:
    stored = arrays("equivariance_error5")
    grid = lattice(5)
    shells = BasisSettings(kind="shells", band_limit="sfcnn")
    for order in range(4):
        for profile in profiles(order, 5, shells):
            kernel = harmonics(order, grid.points) * profile.values[grid.shell, None]
            found = _error_of_draws(kernel, order, stored)
            expected = float(stored["eq_error_shell"][order, profile.index])
            assert found == pytest.approx(expected, abs=1e-10)


def _error_of_draws(kernel: torch.Tensor, order: int, stored: dict[str, Any]) -> float:
    sigma = float(stored["eq_input_sigma"])
    points = lattice(5).points
    change = energy = torch.zeros((), dtype=torch.float64)
    for places, weights, rotation in zip(
        stored["eq_blob_pos"], stored["eq_blob_weight"], stored["eq_rotations"], strict=True
    ):
        still, turned = (
            (weights @ torch.exp(-torch.cdist(p, points).square() / (2 * sigma**2))) @ kernel
            for p in (places, places @ rotation.T)
        )
        change = change + (turned - wigner_matrix(order, rotation) @ still).square().sum()
        energy = energy + still.square().sum()
    return float((change / energy).sqrt())
