"""Evaluations of the velocity that a solve takes: a step for every sample, or one for all.

    python benchmarks/evaluations.py --weights flow.pt

Without weights, a field made strong by hand; a trained one tells more.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from intertwiner_enflow.datasets.excerpt import excerpt
from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.flow import Flow
from intertwiner_enflow.solver.solve import SolverSettings
from intertwiner_enflow.targets import target_named


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--weights", type=Path)
    options.add_argument("--samples", type=int, default=100)
    chosen = options.parse_args()
    flow = _flow(chosen.weights)
    x = excerpt(target_named("dw4"))[: chosen.samples].float()
    for tolerance in (1e-3, 1e-4, 1e-5, 1e-6):
        with torch.no_grad():
            truth = flow.log_prob(x, tolerance=1e-7)
            own = flow.density(x, tolerance=tolerance)
            settings = SolverSettings(shared=True, tolerance=tolerance)
            shared = flow.density(x, solver=settings)
        mean, one = float(own.nfe.double().mean()), int(shared.nfe[0])
        errors = [float((found.log_prob - truth).abs().max()) for found in (own, shared)]
        print(
            f"tolerance {tolerance:g}: {mean:.1f} evaluations a sample, {one} with a shared step "
            f"({1 - mean / one:.0%} fewer); largest error {errors[0]:.2g} and {errors[1]:.2g} nat"
        )


def _flow(weights: Path | None) -> Flow:
    torch.manual_seed(0)
    flow = Flow(EgnnVelocity(2), 4)
    if weights is not None:
        flow.load_state_dict(torch.load(weights, weights_only=True), strict=False)
        return flow
    with torch.no_grad():
        for layer in flow.dynamics.stack.each():  # type: ignore[union-attr, operator]
            layer.coord[2].weight.mul_(1000)
    return flow


if __name__ == "__main__":
    main()
