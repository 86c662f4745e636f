"""Settings of the models and datasets. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Len, Lt

from intertwiner.config import DataConfig
from intertwiner_atomic_conv.presets import (
    CORE_CUTOFFS,
    CORE_TYPES,
    REFINED_CUTOFFS,
    REFINED_TYPES,
    SCORING_CENTRES,
)

__all__ = [
    "AffinityFilesConfig",
    "AtomicConvConfig",
    "CoreConfig",
    "CrossConfig",
    "CutoffConfig",
    "DglCoreConfig",
    "DglRefinedConfig",
    "OpenComplexesConfig",
    "PaperCoreConfig",
    "PaperRefinedConfig",
    "PdbbindConfig",
    "PooledConfig",
    "RefinedConfig",
    "SyntheticPocketsConfig",
]

Positive = Annotated[float, Gt(0)]
Width = Annotated[int, Ge(1)]
Rate = Annotated[float, Ge(0), Lt(1)]
Elements = Annotated[tuple[Annotated[int, Ge(1), Lt(119)], ...], Len(1)]
Grid = Annotated[tuple[Positive, ...], Len(1)]


@dataclass(frozen=True, kw_only=True)
class AtomicConvConfig:
    """An atomic convolution: its graph, radial filters, and one network per kind of atom.

    types: atomic numbers told apart, in the order of the features. other: one more bucket for all
        other elements; without it such atoms have no energy and contribute nothing to others.
    cutoffs, centres (angstrom), exponents (1/angstrom^2): starting values of the radial filters,
        one filter for every combination, the last list fastest.
    hidden: widths of the networks; dropout: rate after each of them. skip: a linear term beside.
    one_network: the same network for every kind of central atom.
    graph: "knn", the `neighbors` nearest atoms of any part (the paper); "cutoff", all atoms of
        the other part nearer than `reach` and of the own part nearer than `reach_within`;
        "cross", atoms of the other part alone. The last two are smooth in the coordinates.
    reach, reach_within: in angstrom.
    hydrogens: "strip" leaves them out before neighbours are sought. "keep" needs them in `types`.
    input_scale: "rms" divides each feature by its root mean square over the training atoms.
    offset: a trainable constant, so that the mean of the labels need not come from interactions.
    freeze_radial: the filters keep their starting values.
    order: "interface" evaluates only atoms whose surroundings differ bound and unbound, which is
        exact; "naive" evaluates all atoms of the complex and of its parts.
    masks: "tied" uses one dropout mask for the two evaluations of an atom; "independent" draws a
        new one for each, as the authors did, and needs order "naive".
    """

    types: Elements = CORE_TYPES
    other: bool = True
    cutoffs: Grid = CORE_CUTOFFS
    centres: Annotated[tuple[float, ...], Len(1)] = (0.0, 4.0, 8.0)
    exponents: Grid = (0.4,)
    hidden: tuple[Width, ...] = (32, 32, 16)
    dropout: tuple[Rate, ...] = (0.3, 0.3, 0.05)
    skip: bool = False
    one_network: bool = False
    graph: Literal["knn", "cutoff", "cross"] = "knn"
    neighbors: Annotated[int, Ge(1)] = 12
    reach: Positive = 12.0
    reach_within: Positive = 5.0
    hydrogens: Literal["strip", "keep"] = "strip"
    input_scale: Literal["rms", "none"] = "rms"
    offset: bool = True
    freeze_radial: bool = False
    order: Literal["interface", "naive"] = "interface"
    masks: Literal["tied", "independent"] = "tied"


@dataclass(frozen=True, kw_only=True)
class CoreConfig(AtomicConvConfig):
    """The paper's network for the PDBbind core set, with a bucket for other elements."""


@dataclass(frozen=True, kw_only=True)
class PaperCoreConfig(AtomicConvConfig):
    """The published equations for the core set: no other elements, scale or offset."""

    other: bool = False
    input_scale: Literal["rms", "none"] = "none"
    offset: bool = False


@dataclass(frozen=True, kw_only=True)
class RefinedConfig(AtomicConvConfig):
    """The paper's network for the PDBbind refined set, with a bucket for other elements."""

    types: Elements = REFINED_TYPES
    cutoffs: Grid = REFINED_CUTOFFS
    centres: Annotated[tuple[float, ...], Len(1)] = (0.0,)
    dropout: tuple[Rate, ...] = (0.25, 0.25, 0.0)
    hydrogens: Literal["strip", "keep"] = "keep"


@dataclass(frozen=True, kw_only=True)
class PaperRefinedConfig(RefinedConfig):
    """The published equations for the refined set: no other elements, scale or offset."""

    other: bool = False
    input_scale: Literal["rms", "none"] = "none"
    offset: bool = False


@dataclass(frozen=True, kw_only=True)
class DglCoreConfig(PaperCoreConfig):
    """The DGL-LifeSci variant for the core set: three filters, one network for all elements."""

    types: Elements = (1, *CORE_TYPES)
    cutoffs: Grid = (12.0,)
    exponents: Grid = (4.0,)
    dropout: tuple[Rate, ...] = (0.0, 0.0, 0.0)
    one_network: bool = True
    hydrogens: Literal["strip", "keep"] = "keep"


@dataclass(frozen=True, kw_only=True)
class DglRefinedConfig(PaperRefinedConfig):
    """The DGL-LifeSci variant for the refined set."""

    cutoffs: Grid = (12.0,)
    centres: Annotated[tuple[float, ...], Len(1)] = (0.0, 2.0, 4.0, 6.0, 8.0)
    exponents: Grid = (4.0,)
    hidden: tuple[Width, ...] = (128, 128, 64)
    dropout: tuple[Rate, ...] = (0.4, 0.4, 0.0)
    one_network: bool = True


@dataclass(frozen=True, kw_only=True)
class CrossConfig(AtomicConvConfig):
    """A smooth sum over pairs across the interface: narrow filters from 2.4 to 7.2 angstrom."""

    cutoffs: Grid = (8.0,)
    centres: Annotated[tuple[float, ...], Len(1)] = SCORING_CENTRES
    exponents: Grid = (5.5556,)
    hidden: tuple[Width, ...] = (32, 32)
    dropout: tuple[Rate, ...] = (0.0, 0.0)
    skip: bool = True
    graph: Literal["knn", "cutoff", "cross"] = "cross"
    reach: Positive = 8.0
    input_scale: Literal["rms", "none"] = "none"


@dataclass(frozen=True, kw_only=True)
class CutoffConfig(CrossConfig):
    """As `CrossConfig`, and each atom also sees its own part within `reach_within`."""

    graph: Literal["knn", "cutoff", "cross"] = "cutoff"


@dataclass(frozen=True, kw_only=True)
class PooledConfig:
    """Logarithms of pair counts in shells across the interface, read out by a small ensemble.

    capacity: most training records the kernel members can keep; the size of a checkpoint.
    perceptrons, hidden, input_dropout: of the second kind of member.
    ridges, widths: penalty and kernel width, of which the best is chosen by group folds.
    """

    capacity: Annotated[int, Ge(1)] = 2048
    perceptrons: Annotated[int, Ge(1)] = 8
    hidden: Width = 32
    input_dropout: Rate = 0.4
    ridges: Grid = (0.1, 0.3, 1.0, 3.0)
    widths: Grid = (0.03, 0.1, 0.3, 1.0)


@dataclass(frozen=True, kw_only=True)
class SyntheticPocketsConfig(DataConfig):
    """Generated pockets with a known energy.

    count: complexes. noise: standard deviation of the noise of pK. seed: of the generator.
    """

    count: Annotated[int, Ge(20)] = 400
    noise: Annotated[float, Ge(0)] = 0.3
    seed: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True, kw_only=True)
class OpenComplexesConfig(DataConfig):
    """The FEP benchmark complexes in a file given by path.

    path: the `.npz` file. waters: "displace" removes waters nearer than 2.4 angstrom to the
    ligand, "keep" none, "drop" all. overlaps: "keep" or "drop" complexes whose ligand overlaps
    protein atoms. folds: of the split; fold: which of them is the test part; shuffle: which of
    the assignments of groups to folds.
    """

    path: str = ""
    split: str = "target"
    waters: Literal["displace", "keep", "drop"] = "displace"
    overlaps: Literal["keep", "drop"] = "keep"
    folds: Annotated[int, Ge(2)] = 5
    fold: Annotated[int, Ge(0)] = 0
    shuffle: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True, kw_only=True)
class AffinityFilesConfig(DataConfig):
    """Complexes of your own with affinities.

    path: a CSV table with the columns protein, ligand, affinity and unit, or a folder in OpenFF's
        form.
    split: "random", "stratified", "year-stratified", "temporal", "target" or "scaffold".
    """

    path: str = ""


@dataclass(frozen=True, kw_only=True)
class PdbbindConfig(DataConfig):
    """A PDBbind folder of the user's own, of any version.

    root: the folder. index: an index file; by default the one below `root`.
    subset: part of the index file's name, such as "refined". pocket: read the pocket files.
    censored: what becomes of labels that are bounds (<, >, ~).
    split: "random", "stratified", "year-stratified", "temporal", "target", "scaffold", or
        "cleansplit" and "cleansplit-independent", which need `cleansplit`.
    cleansplit: the JSON file of PDBbind CleanSplit; core: the core set to test on.
    """

    root: str = ""
    index: str = ""
    subset: str = "refined"
    pocket: bool = False
    censored: Literal["drop", "keep"] = "drop"
    cleansplit: str = ""
    core: Literal["casf2016", "casf2013"] = "casf2016"
