"""An ASE calculator for models that learned energies: molecular dynamics, relaxation, vibrations.

    from ase.io import read
    from intertwiner_equivariant_conv.calculator import IntertwinerCalculator

    atoms = read("water.xyz")
    atoms.calc = IntertwinerCalculator("runs/energies")
    atoms.get_forces()  # eV/angstrom

ASE comes with `pip install "intertwiner-equivariant-conv[ase]"`; this module is imported by nothing
else of the package. Structures in files are ASE's own business, extended XYZ among them.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.schema import Schema
from intertwiner_equivariant_conv.errors import InvalidInput, InvalidSetting
from intertwiner_equivariant_conv.targets import ENERGY, FORCES

try:
    from ase import Atoms, units
    from ase.calculators.calculator import Calculator, all_changes
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "the calculator needs ASE; run: pip install 'intertwiner-equivariant-conv[ase]'",
        name=error.name,
    ) from error

__all__ = ["IntertwinerCalculator"]

ELECTRONVOLTS = {"eV": 1.0, "hartree": units.Hartree, "kcal/mol": units.kcal / units.mol}
"""Units of energy that a model may have been trained in."""


class IntertwinerCalculator(Calculator):
    """Energy (eV) and forces (eV/angstrom) of a trained run, a run folder, or a network.

    Cells and periodic boundaries are those of the atoms. Forces are minus the gradient of the
    energy, exactly. dtype: of parameters and positions, such as `torch.float64` for long dynamics;
    None keeps the model's.

    Raises `InvalidSetting` for a model without energy or with one in an unknown unit, and what the
    network raises for atoms it does not know.
    """

    implemented_properties = ["energy", "free_energy", "forces"]  # noqa: RUF012

    def __init__(self, run: Any, *, dtype: torch.dtype | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.model = _network(run)
        self.factor = _electronvolts(self.model.schema)
        if dtype is not None:
            self.model = copy.deepcopy(self.model).to(dtype)
        self.model.eval()

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fills `results`; called by ASE."""
        super().calculate(atoms, properties, system_changes)
        parameter = next(self.model.parameters())
        batch = Batch.from_data_list([_record(self.atoms, parameter)])
        energy, forces = _energy_and_forces(self.model, batch)
        value = self.factor * float(energy)
        array = self.factor * forces.double().cpu().numpy()
        self.results = {"energy": value, "free_energy": value, "forces": array}


def _network(run: Any) -> Any:
    """The network of a run folder, of a run, or itself."""
    if isinstance(run, (str, Path)):
        from intertwiner.training.run import load_run

        run = load_run(run)
    network = run if isinstance(run, nn.Module) else getattr(run, "model", None)
    if not isinstance(network, nn.Module) or not isinstance(
        getattr(network, "schema", None), Schema
    ):
        raise InvalidSetting(
            f"{type(run).__name__} is no run folder, run or network of this plugin"
        )
    return network


def _electronvolts(schema: Schema) -> float:
    """How many eV the model's unit of energy is."""
    fields = {field.name: field for field in schema.targets}
    if ENERGY not in fields:
        raise InvalidSetting(
            f"this model predicts {', '.join(fields)}: a calculator needs one with the target "
            f"{ENERGY!r}"
        )
    unit = fields[ENERGY].unit
    if unit not in ELECTRONVOLTS:
        raise InvalidSetting(
            f"the model's energy is in {unit!r}; known units are {', '.join(ELECTRONVOLTS)}"
        )
    return float(ELECTRONVOLTS[unit])


def _record(atoms: Atoms, like: Tensor) -> Data:
    """One molecule or cell on the device and in the dtype of `like`."""
    if len(atoms) == 0:
        raise InvalidInput("there are no atoms")
    pos = torch.as_tensor(np.asarray(atoms.positions), dtype=like.dtype, device=like.device)
    record = Data(pos=pos, z=torch.as_tensor(atoms.numbers, dtype=torch.long, device=like.device))
    if atoms.pbc.any():
        record.cell = torch.as_tensor(atoms.cell.array[None]).to(like)
        record.pbc = torch.as_tensor(atoms.pbc[None])
    return record


def _energy_and_forces(
    model: nn.Module, batch: Batch
) -> tuple[Float[Tensor, "1 1"], Float[Tensor, "atoms 3"]]:
    """In the model's unit; forces by its own derivative where it has none as a target."""
    if FORCES in {field.name for field in model.schema.targets}:  # type: ignore[union-attr]
        with torch.no_grad():
            found = model(batch)
        return found[ENERGY], found[FORCES]
    batch.pos.requires_grad_()
    with torch.enable_grad():
        energy = model(batch)[ENERGY]
        (slope,) = torch.autograd.grad(energy.sum(), batch.pos)
    return energy.detach(), -slope
