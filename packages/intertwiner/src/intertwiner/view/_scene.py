"""Molecules laid out on a plane: which way each is turned, where it lies, what is bonded.

All in angstrom; x to the right, y upwards, z towards the eye. Nothing here draws, and a scene is
plain enough to be written as JSON for the process that does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner.view._elements import element

__all__ = ["Arrow", "Ball", "Molecule", "Scene", "Stick", "lay_out"]

Array = NDArray[np.float64]
Place = tuple[float, float, float]

BOND_TOLERANCE = 1.25
"""Two atoms are bonded when closer than this many times the sum of their covalent radii."""
ARROW_LENGTH = 3.2
"""About how long, in angstrom, the longest arrow is drawn."""
_MARGIN = 0.35
INCHES_PER_ANGSTROM = 0.42
LARGEST = 14.0
"""Largest width of a picture, in inches; wider scenes are drawn smaller."""
SMALLEST = 4.5
_FOOT = 0.4
"""Height in inches of the strip for the label below each molecule."""


@dataclass(frozen=True, slots=True)
class Molecule:
    """What is to be drawn of one record.

    label, values: the two lines below it. positions `[atoms, 3]` in angstrom; numbers `[atoms]`;
    vectors `[vectors, 3]`, NaN where absent.
    """

    label: str
    values: str
    positions: Array
    numbers: NDArray[np.int64]
    vectors: Array


@dataclass(frozen=True, slots=True)
class Ball:
    place: Place
    radius: float
    colour: str


@dataclass(frozen=True, slots=True)
class Stick:
    """Half a bond, in the colour of its atom."""

    start: Place
    end: Place
    colour: str


@dataclass(frozen=True, slots=True)
class Arrow:
    start: Place
    end: Place
    width: float
    colour: str


@dataclass(slots=True)
class Scene:
    """Cells of `width` x `height` angstrom in `columns` x `rows`; the first has its centre at 0.

    labels: two lines of text, and x and y of the middle of their upper edge.
    inches: drawn size of an angstrom; scale: units of the vectors an angstrom.
    """

    columns: int
    rows: int
    width: float
    height: float
    inches: float
    scale: float = 1.0
    balls: list[Ball] = field(default_factory=list)
    sticks: list[Stick] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    labels: list[tuple[str, str, float, float]] = field(default_factory=list)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top."""
        left, top = -self.width / 2, self.height / 2
        return left, left + self.columns * self.width, top - self.rows * self.height, top


def lay_out(molecules: Sequence[Molecule], colours: Mapping[str, str]) -> Scene:
    """Turns each molecule to show itself and its vectors, and puts them on a grid.

    colours: name of each vector -> colour of its arrow, in the order of `Molecule.vectors`.

    Raises `DataError` naming the molecule when there is nothing to draw.
    """
    scale = _nice_scale([molecule.vectors for molecule in molecules])
    turned = [_turn(molecule, scale) for molecule in molecules]
    extents = np.array([_extent(molecule) for molecule in turned])
    width, height = (float(side) for side in extents.max(axis=0) + 2 * _MARGIN)
    columns = _columns(len(turned), width, height + _FOOT / INCHES_PER_ANGSTROM)
    inches = _inches_per_angstrom(columns * width)
    rows = math.ceil(len(turned) / columns)
    scene = Scene(columns, rows, width, height + _FOOT / inches, inches, scale)
    for number, molecule in enumerate(turned):
        row, column = divmod(number, columns)
        centre = np.array([column * width, -row * scene.height + _FOOT / inches / 2, 0.0])
        _place(scene, molecule, centre, list(colours.values()))
    return scene


def _columns(count: int, width: float, height: float) -> int:
    """As many as make the whole about twice as wide as high."""
    return min(count, max(1, round(math.sqrt(2 * count * height / width))))


def _inches_per_angstrom(width: float) -> float:
    """So that `width` angstrom become neither tiny nor huge."""
    return min(max(INCHES_PER_ANGSTROM, SMALLEST / width), LARGEST / width, 0.7)


def _nice_scale(vectors: Sequence[Array]) -> float:
    """1, 2 or 5 times a power of ten, so that the longest vector has about `ARROW_LENGTH`."""
    lengths = np.concatenate([np.linalg.norm(found, axis=1) for found in vectors])
    lengths = lengths[np.isfinite(lengths)]
    if not lengths.size or lengths.max() == 0:
        return 1.0
    wanted = float(lengths.max()) / ARROW_LENGTH
    power = 10.0 ** math.floor(math.log10(wanted))
    return min((step * power for step in (1, 2, 5, 10)), key=lambda s: abs(math.log(s / wanted)))


def _turn(molecule: Molecule, scale: float) -> Molecule:
    """The molecule about its centre, turned, with its vectors in angstrom."""
    if not len(molecule.positions):
        raise DataError(f"{molecule.label!r}: no atoms to draw")
    if not np.isfinite(molecule.positions).all():
        atom = int(np.flatnonzero(~np.isfinite(molecule.positions).all(axis=1))[0])
        raise DataError(f"{molecule.label!r}: the position of atom {atom} is not a number")
    centred = molecule.positions - molecule.positions.mean(axis=0)
    vectors = molecule.vectors / scale
    rotation = _view_axes(centred, vectors[np.isfinite(vectors).all(axis=1)])
    positions = centred @ rotation.T
    return replace(molecule, positions=positions, vectors=vectors @ rotation.T)


def _view_axes(centred: Array, vectors: Array) -> Array:
    """The rotation whose rows are right, up and towards the eye.

    The eye looks along the direction in which atoms, and above all vectors, extend least.
    """
    atoms, arrows = centred.T @ centred, vectors.T @ vectors
    spread = atoms / max(np.trace(atoms), 1e-12) + 4 * arrows / max(np.trace(arrows), 1e-12)
    eye = np.linalg.eigh(spread)[1][:, 0]
    plane = np.eye(3) - np.outer(eye, eye)
    right = _oriented(np.linalg.eigh(plane @ (atoms + arrows) @ plane)[1][:, 2], centred)
    up = _oriented(np.cross(eye, right), centred)
    return np.stack([right, up, np.cross(right, up)])


def _oriented(axis: Array, centred: Array) -> Array:
    """`axis` with the sign that does not depend on the solver: more atoms on the far side."""
    skew = float(((centred @ axis) ** 3).sum())
    if abs(skew) < 1e-6:
        skew = float(axis[np.abs(axis).argmax()])
    return axis if skew >= 0 else -axis


def _radii(numbers: NDArray[np.int64]) -> Array:
    """Drawn radius of each atom."""
    return np.array([0.16 + 0.24 * element(int(number)).radius for number in numbers])


def _corners(molecule: Molecule) -> tuple[Array, Array]:
    """Lower left and upper right of what is seen, `[2]` each."""
    radii = _radii(molecule.numbers)[:, None]
    tips = molecule.vectors[np.isfinite(molecule.vectors).all(axis=1), :2]
    points = molecule.positions[:, :2]
    lowest = np.vstack([points - radii, tips - 0.15])
    highest = np.vstack([points + radii, tips + 0.15])
    return lowest.min(axis=0), highest.max(axis=0)


def _extent(molecule: Molecule) -> Array:
    low, high = _corners(molecule)
    extent: Array = high - low
    return extent


def _place(scene: Scene, molecule: Molecule, centre: Array, colours: Sequence[str]) -> None:
    low, high = _corners(molecule)
    shift = centre - np.append((low + high) / 2, 0.0)
    positions = molecule.positions + shift
    shown = [element(int(number)) for number in molecule.numbers]
    radii = _radii(molecule.numbers)
    for place, radius, atom in zip(positions, radii, shown, strict=True):
        scene.balls.append(Ball(_point(place), float(radius), atom.colour))
    for first, second in _bonds(molecule):
        middle = (positions[first] + positions[second]) / 2
        for end in (first, second):
            stick = Stick(_point(positions[end]), _point(middle), shown[end].colour)
            scene.sticks.append(stick)
    _place_arrows(scene, molecule, shift, float(positions[:, 2].max()) + 1.0, colours)
    foot = float(centre[1]) + (_FOOT / scene.inches - scene.height) / 2
    scene.labels.append((molecule.label, molecule.values, float(centre[0]), foot))


def _place_arrows(
    scene: Scene, molecule: Molecule, shift: Array, front: float, colours: Sequence[str]
) -> None:
    """Arrows are moved towards the eye, where no atom hides them and they look the same."""
    for number, (vector, colour) in enumerate(zip(molecule.vectors, colours, strict=True)):
        if not np.isfinite(vector).all() or np.linalg.norm(vector) < 0.05:
            continue
        start = shift + np.array([0.0, 0.0, front + 3.0 * number + abs(vector[2])])
        width = 0.10 / (1 + number)
        scene.arrows.append(Arrow(_point(start), _point(start + vector), width, colour))


def _bonds(molecule: Molecule) -> list[tuple[int, int]]:
    """Pairs that are near enough, found by going through the atoms from left to right."""
    order = np.argsort(molecule.positions[:, 0])
    places = molecule.positions[order]
    reach = BOND_TOLERANCE * np.array([element(int(z)).radius for z in molecule.numbers[order]])
    ends = np.searchsorted(places[:, 0], places[:, 0] + reach + reach.max())
    bonds = []
    for first, end in enumerate(ends):
        distances = np.linalg.norm(places[first + 1 : end] - places[first], axis=1)
        near = distances < reach[first] + reach[first + 1 : end]
        bonds += [(int(order[first]), int(order[first + 1 + k])) for k in np.flatnonzero(near)]
    return bonds


def _point(place: Array) -> Place:
    x, y, z = place.tolist()
    return x, y, z
