"""True samples of the targets: annealed sequential Monte Carlo with Hamiltonian moves."""

from intertwiner_enflow.generators.annealing import Annealing, anneal
from intertwiner_enflow.generators.checks import Check, check_run, check_samples, compare_runs
from intertwiner_enflow.generators.generate import Generated, generate

__all__ = [
    "Annealing",
    "Check",
    "Generated",
    "anneal",
    "check_run",
    "check_samples",
    "compare_runs",
    "generate",
]
