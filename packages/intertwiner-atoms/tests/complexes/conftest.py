"""A small pocket, its ligand, and their files in every format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

Place = tuple[float, float, float]
GLYCINE = (("N", "N", 0.0, 0.0, 0.0), ("CA", "C", 1.4, 0.0, 0.2), ("C", "C", 1.5, 1.4, 0.0))
CORNERS = [(x, y, z) for x in (-4.0, 4.0) for y in (-4.0, 4.0) for z in (-4.0, 4.0)]


@dataclass(frozen=True)
class Site:
    """One line of a protein's file."""

    name: str
    element: str
    residue: str
    number: int
    place: Place
    record: str = "ATOM"
    altloc: str = " "
    occupancy: float = 1.0

    def pdb(self, serial: int) -> str:
        x, y, z = self.place
        name = f" {self.name:<3}" if len(self.element) == 1 else f"{self.name:<4}"
        return (
            f"{self.record:<6}{serial:>5} {name}{self.altloc}{self.residue:>3} A{self.number:>4}"
            f"    {x:8.3f}{y:8.3f}{z:8.3f}{self.occupancy:6.2f}{9.0:6.2f}          "
            f"{self.element:>2}\n"
        )


def glycines() -> list[Site]:
    """Eight residues at the corners of a cube of 8 angstrom about the origin."""
    found = []
    for number, (x, y, z) in enumerate(CORNERS, start=1):
        out = [1.0 if value > 0 else -1.0 for value in (x, y, z)]
        for name, element, dx, dy, dz in (*GLYCINE, ("O", "O", 1.5, 2.2, 1.0)):
            place = (x + dx * out[0], y + dy * out[1], z + dz * out[2])
            found.append(Site(name, element, "GLY", number, place))
    return found


LIGAND = (
    *(("C", (0.0, 0.0, 0.1)), ("C", (1.4, 0.0, 0.2)), ("N", (0.0, 1.4, 0.3))),
    *(("O", (-1.4, 0.0, 0.4)), ("S", (0.0, -1.7, 0.5)), ("H", (0.0, 0.0, 1.2))),
)


def sdf(atoms: Sequence[tuple[str, Place]] = LIGAND, title: str = "lig") -> str:
    """A V2000 record without bonds."""
    head = f"{title}\n{' ' * 20}3D\n\n{len(atoms):3d}  0  0  0  0  0  0  0  0  0999 V2000\n"
    rows = "".join(f"{x:10.4f}{y:10.4f}{z:10.4f} {e:<3} 0  0\n" for e, (x, y, z) in atoms)
    return f"{head}{rows}M  END\n$$$$\n"


@dataclass(frozen=True)
class Bench:
    """Writes files of proteins and ligands; what is not given is the pocket and its ligand."""

    folder: Path
    sites: list[Site]

    def protein(self, *more: Site, name: str = "protein.pdb", sites: object = None) -> Path:
        chosen: list[Site] = self.sites if sites is None else list(sites)  # type: ignore[call-overload]
        lines = [site.pdb(serial) for serial, site in enumerate([*chosen, *more], start=1)]
        return self.write(name, "".join(lines) + "END\n")

    def ligand(
        self,
        atoms: Sequence[tuple[str, Place]] = LIGAND,
        *,
        shift: Place = (0.0, 0.0, 0.0),
        name: str = "ligand.sdf",
        title: str = "lig",
    ) -> Path:
        moved = [(e, (p[0] + shift[0], p[1] + shift[1], p[2] + shift[2])) for e, p in atoms]
        return self.write(name, sdf(moved, title))

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A folder to write proteins and ligands into."""
    return Bench(tmp_path, glycines())


@pytest.fixture
def site() -> type[Site]:
    """Makes a line of a protein's file."""
    return Site


@pytest.fixture
def molecule() -> Callable[..., str]:
    """Makes the text of an SDF record."""
    return sdf
