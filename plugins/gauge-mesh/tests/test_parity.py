"""The authors' own numbers: geometry, convolution with all gradients, nonlinearity, block.

Fixtures are outputs of the unmodified official package in double precision; they are looked for in
`INTERTWINER_PARITY_DIR`, by default `../shared/data/parity` from the repository's root.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from intertwiner_gauge_mesh.kernels import bmm, reference
from intertwiner_gauge_mesh.kernels.compiled import operation as compiled
from intertwiner_gauge_mesh.layers.block import ResidualBlock
from intertwiner_gauge_mesh.layers.convolution import GaugeConv
from intertwiner_gauge_mesh.layers.exchange import pack, pack_self_weight, pack_weight, unpack
from intertwiner_gauge_mesh.layers.matrix_features import matrix_channels
from intertwiner_gauge_mesh.layers.sampled import SampledNonlinearity
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.radial import ring_weights
from intertwiner_gauge_mesh.types import FeatureType

ROOT = Path(__file__).resolve().parents[3]
DEFAULT = ROOT.parent / "shared" / "data" / "parity"
FOLDER = Path(os.environ.get("INTERTWINER_PARITY_DIR", DEFAULT)) / "gauge-mesh"
MESHES = ("icosphere", "torus")
CONVOLUTIONS = {
    "conv_icosphere_loops": ("icosphere", "in_mean", 6),
    "conv_torus_noloops": ("torus", "none", 7),
}
CASES = [(name, case) for name, (_, _, count) in CONVOLUTIONS.items() for case in range(count)]

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no parity fixtures in {FOLDER}")


def load(name: str) -> dict[str, Tensor]:
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays}


def cases(name: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((FOLDER / f"{name}.json").read_text())["cases"]
    return found


def plan_of(mesh: str, dtype: torch.dtype = torch.float64) -> MeshPlan:
    arrays = load(f"mesh_{mesh}")
    pos, face = arrays["vertices"].to(dtype), arrays["faces"].long().T
    return MeshPlan.from_mesh(pos, face, frame="first_neighbour")


def error(seen: Tensor, expected: Tensor) -> float:
    return float((seen.double() - expected).abs().max() / expected.abs().max())


def units(angle: Tensor) -> Tensor:
    return torch.stack([angle.cos(), angle.sin()], -1)


@pytest.mark.parametrize("mesh", MESHES)
def test_geometry_is_that_of_the_authors(mesh: str) -> None:
    arrays, plan = load(f"mesh_{mesh}"), plan_of(mesh)
    target, source = arrays["edge_index"].long()
    order = torch.argsort(target * plan.vertices + source)
    assert torch.equal(target[order], plan.target)
    assert torch.equal(source[order], plan.source)
    assert error(plan.frame, arrays["frame"]) < 1e-12
    assert error(plan.normal, arrays["normal"]) < 1e-12
    assert error(plan.length, arrays["r"][order]) < 1e-12
    assert error(plan.post, units(arrays["theta"][order])) < 1e-12
    assert error(plan.connection, units(arrays["connection"][order])) < 1e-12
    reach = float(plan.length.max())
    for rings in (1, 2):
        weights = ring_weights(plan.length, reach, rings, "released")
        assert error(weights, arrays[f"radial_weights_R{rings}"][order]) < 1e-12


@pytest.mark.parametrize("mesh", MESHES)
def test_matrix_features_are_those_of_the_authors(mesh: str) -> None:
    assert error(matrix_channels(plan_of(mesh)), load(f"mesh_{mesh}")["matrix_features"]) < 1e-12


def convolution(name: str, case: int, dtype: torch.dtype) -> tuple[GaugeConv, MeshPlan, Tensor]:
    mesh, self_mode, _ = CONVOLUTIONS[name]
    arrays, settings = load(name), cases(name)[f"c{case}"]
    plan = plan_of(mesh, dtype)
    layer = GaugeConv(
        FeatureType.uniform(settings["C_in"], settings["order_in"]),
        FeatureType.uniform(settings["C_out"], settings["order_out"]),
        reach=float(plan.length.max()),
        rings=settings["rings"],
        self_mode=self_mode,
        radial="released",
    ).to(dtype)
    with torch.no_grad():
        layer.weight.copy_(pack_weight(arrays[f"c{case}.weight"]))
        layer.bias.copy_(pack(arrays[f"c{case}.bias"]))
        if layer.self_weight is not None:
            layer.self_weight.copy_(pack_self_weight(arrays[f"c{case}.self_weight"]))
    return layer, plan, pack(arrays[f"c{case}.x"]).to(dtype).requires_grad_()


KERNELS = {
    "reference": reference.gauge_aggregate,
    "bmm": bmm.gauge_aggregate,
    "compiled": compiled.gauge_aggregate,
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("kernel", [*KERNELS, "served"])
@pytest.mark.parametrize(("name", "case"), CASES)
def test_convolution_and_all_its_gradients_are_those_of_the_authors(
    name: str, case: int, kernel: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kernel in KERNELS:
        home = "intertwiner_gauge_mesh.layers.convolution.gauge_aggregate"
        monkeypatch.setattr(home, KERNELS[kernel])
    arrays = load(name)
    layer, plan, x = convolution(name, case, dtype)
    out = layer(x, plan)
    (out * pack(arrays[f"c{case}.cotangent"]).to(dtype)).sum().backward()
    value, slope = (1e-12, 1e-12) if dtype == torch.float64 else (1e-5, 1e-5)
    assert error(unpack(out.detach(), layer.type_out), arrays[f"c{case}.y"]) < value
    assert error(unpack(x.grad, layer.type_in), arrays[f"c{case}.grad_x"]) < slope
    expected = arrays[f"c{case}.grad_weight"]
    assert error(layer.weight.grad, pack_weight(expected)) < slope
    assert error(layer.bias.grad, pack(arrays[f"c{case}.grad_bias"])) < slope
    if layer.self_weight is not None:
        expected = pack_self_weight(arrays[f"c{case}.grad_self_weight"])
        assert error(layer.self_weight.grad, expected) < slope


@pytest.mark.parametrize("case", range(5))
def test_sampled_nonlinearity_is_that_of_the_authors(case: int) -> None:
    arrays = load("regular_nonlinearity")
    settings = cases("regular_nonlinearity")[f"n{case}"]
    kind = FeatureType.uniform(settings["C"], settings["order"])
    layer = SampledNonlinearity(kind, settings["fn"], settings["N"], scaling="released", quiet=True)
    x = pack(arrays[f"n{case}.x"]).requires_grad_()
    out = layer(x)
    (out * pack(arrays[f"n{case}.cotangent"])).sum().backward()
    assert error(unpack(out.detach(), kind), arrays[f"n{case}.y"]) < 1e-12
    assert error(unpack(x.grad, kind), arrays[f"n{case}.grad_x"]) < 1e-12


def test_residual_block_is_that_of_the_authors() -> None:
    arrays, settings = load("resnet_block"), cases("resnet_block")["b0"]
    plan = plan_of("torus")
    type_in = FeatureType.uniform(settings["C_in"], settings["order_in"])
    type_out = FeatureType.uniform(settings["C_out"], settings["order_out"])
    block = ResidualBlock(
        type_in,
        type_out,
        lambda kind: SampledNonlinearity(
            kind, "relu", settings["N"], scaling="released", quiet=True
        ),
        reach=float(plan.length.max()),
        rings=settings["rings"],
        self_mode="in_mean",
        radial="released",
    ).double()
    pairs = {"linear": block.residual.linear}
    with torch.no_grad():
        for number, conv in ((1, block.conv1), (2, block.conv2)):
            part = f"b0.param.conv{number}"
            conv.weight.copy_(pack_weight(arrays[f"{part}.weight"]))
            conv.bias.copy_(pack(arrays[f"{part}.bias"]))
            conv.self_weight.copy_(pack_self_weight(arrays[f"{part}.self_weight.weight"]))
        pairs["linear"].matrices[0].copy_(arrays["b0.param.lin.weight"][:, :, 0].T)
        # The authors' bias goes to every component; the residual here has order 0 alone.
        pairs["linear"].bias.copy_(arrays["b0.param.lin.bias"])
    x = pack(arrays["b0.x"]).requires_grad_()
    out = block(x, plan)
    (out * pack(arrays["b0.cotangent"])).sum().backward()
    assert error(unpack(out.detach(), type_out), arrays["b0.y"]) < 1e-12
    assert error(unpack(x.grad, type_in), arrays["b0.grad_x"]) < 1e-12
    for number, conv in ((1, block.conv1), (2, block.conv2)):
        part = f"b0.grad.conv{number}"
        assert error(conv.weight.grad, pack_weight(arrays[f"{part}.weight"])) < 1e-12
        assert error(conv.bias.grad, pack(arrays[f"{part}.bias"])) < 1e-12
        expected = pack_self_weight(arrays[f"{part}.self_weight.weight"])
        assert error(conv.self_weight.grad, expected) < 1e-12
    linear = pairs["linear"]
    assert error(linear.matrices[0].grad, arrays["b0.grad.lin.weight"][:, :, 0].T) < 1e-12
    assert error(linear.bias.grad, arrays["b0.grad.lin.bias"]) < 1e-12
