"""What this plugin brings: models of complexes, their data, two operations. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner import hookimpl
from intertwiner.fields import ANY_NAME, GRAPH, NODE, Field, Scalar, Structure, Symmetry
from intertwiner.specs import DatasetSpec, KernelSpec, ModelSpec, RecipeSpec
from intertwiner_atomic_conv.fields import AFFINITY, COMPLEX_FIELDS, FREE_ENERGY
from intertwiner_atomic_conv.recovery import RECOVERY

PAPER = "arXiv:1703.10603"
PACKAGE = "intertwiner_atomic_conv"

NETWORKS = (
    ("core", "CoreConfig", "The paper's network for the PDBbind core set, and other elements"),
    ("refined", "RefinedConfig", "The paper's network for the refined set, and other elements"),
    ("paper-core", "PaperCoreConfig", "The published equations for the core set"),
    ("paper-refined", "PaperRefinedConfig", "The published equations for the refined set"),
    ("dgl-core", "DglCoreConfig", "The DGL-LifeSci variant: one network for all elements"),
    ("dgl-refined", "DglRefinedConfig", "The DGL-LifeSci variant for the refined set"),
    ("cross", "CrossConfig", "Smooth pair sums across the interface alone"),
    ("cutoff", "CutoffConfig", "Smooth sums over all atoms in reach, own part included"),
)
TINY = {
    "hidden": (8,),
    "dropout": (0.0,),
    "neighbors": 3,
    "cutoffs": (4.0, 9.0),
    "exponents": (0.05,),
    "offset": False,
}


@hookimpl
def intertwiner_models() -> Iterable[ModelSpec]:
    for name, config, summary in NETWORKS:
        yield ModelSpec(
            name=name,
            summary=summary,
            reference=PAPER,
            target=f"{PACKAGE}.model:build_network",
            config=f"{PACKAGE}.config:{config}",
            reads=Structure.COMPLEX,
            inputs=COMPLEX_FIELDS,
            outputs=(Field(ANY_NAME, GRAPH, Scalar(), summary="one number per complex"),),
            symmetry=Symmetry(space="E(3)", permutes=(NODE,)),
            tiny=TINY,
        )
    yield ModelSpec(
        name="pooled",
        summary="Logarithms of pair counts across the interface and a small ensemble",
        target=f"{PACKAGE}.pooled.model:build_pooled",
        config=f"{PACKAGE}.config:PooledConfig",
        reads=Structure.COMPLEX,
        inputs=COMPLEX_FIELDS,
        outputs=(Field(ANY_NAME, GRAPH, Scalar(), summary="one number per complex"),),
        symmetry=Symmetry(space="E(3)", permutes=(NODE,)),
        tiny={"capacity": 64, "perceptrons": 2, "hidden": 4},
    )


@hookimpl
def intertwiner_datasets() -> Iterable[DatasetSpec]:
    yield DatasetSpec(
        name="synthetic-pockets",
        summary="Generated ligands in pockets with a known pair energy; nothing to download",
        target=f"{PACKAGE}.datasets.synthetic_pockets:load",
        config=f"{PACKAGE}.config:SyntheticPocketsConfig",
        gives=Structure.COMPLEX,
        provides=COMPLEX_FIELDS,
        targets=(AFFINITY, FREE_ENERGY),
        default_targets=("pK",),
        licence="MIT",
        offline=True,
        synthetic=f"{PACKAGE}.datasets.synthetic_pockets:synthetic",
    )
    yield DatasetSpec(
        name="open-complexes",
        summary="The public FEP benchmarks, cleaned up, with proteins kept apart: --data.path FILE",
        reference="doi:10.1038/s42004-023-01019-9",
        target=f"{PACKAGE}.datasets.open_complexes:load",
        config=f"{PACKAGE}.config:OpenComplexesConfig",
        gives=Structure.COMPLEX,
        provides=COMPLEX_FIELDS,
        targets=(AFFINITY, FREE_ENERGY),
        default_targets=("pK",),
        splits=("random", "target"),
        licence="MIT and CC-BY-4.0, by source",
        size=1191,
        offline=True,
        synthetic=f"{PACKAGE}.datasets.open_complexes:synthetic",
    )
    yield DatasetSpec(
        name="pdbbind",
        summary="A PDBbind folder of your own, any version: --data.root FOLDER",
        reference="doi:10.1021/acs.accounts.6b00491",
        target=f"{PACKAGE}.datasets.pdbbind:load",
        config=f"{PACKAGE}.config:PdbbindConfig",
        gives=Structure.COMPLEX,
        provides=COMPLEX_FIELDS,
        targets=(AFFINITY, FREE_ENERGY),
        default_targets=("pK",),
        licence="PDBbind's own; it is never downloaded or shipped",
        offline=True,
        synthetic=f"{PACKAGE}.datasets.pdbbind:synthetic",
    )

    yield DatasetSpec(
        name="affinity-files",
        summary="Your own table of complexes, or a folder in OpenFF's form: --data.path PATH",
        reference="doi:10.33011/livecoms.4.1.1497",
        target=f"{PACKAGE}.datasets.affinity_files:load",
        config=f"{PACKAGE}.config:AffinityFilesConfig",
        gives=Structure.COMPLEX,
        provides=COMPLEX_FIELDS,
        targets=(AFFINITY, FREE_ENERGY),
        default_targets=("pK",),
        licence="your own",
        offline=True,
        synthetic=f"{PACKAGE}.datasets.affinity_files:synthetic",
    )


@hookimpl
def intertwiner_kernels() -> Iterable[KernelSpec]:
    for op, plain, module, said in (
        ("radial_pool", "reference", "pool", "filters of all edges, then a sum over blocks"),
        ("grouped_linear", "reference", "linear", "a product for every slice, then a sum"),
        ("grouped_layer", "reference", "layer", "bias, rectifier, dropout, a product per slice"),
        ("pair_counts", "counting", "counts", "steps of all pairs in reach, then a sum by kind"),
    ):
        reference = f"{PACKAGE}.kernels.{plain}"
        name = op.replace("_", "-")
        yield KernelSpec(
            name=f"{name}-torch",
            summary=f"Plain torch: {said}",
            op=op,
            target=f"{reference}:{op}",
            reference=f"{reference}:{op}",
            examples=f"{reference}:{op}_examples",
            device="any",
            differentiable=2,
        )
        yield KernelSpec(
            name=f"{name}-compiled",
            summary="C++ compiled once at first use; nothing is stored in between",
            op=op,
            target=f"{PACKAGE}.kernels.compiled.{module}:{op}",
            reference=f"{reference}:{op}",
            examples=f"{reference}:{op}_examples",
            device="cpu",
            differentiable=2,
            priority=20,
        )


@hookimpl
def intertwiner_recipes() -> Iterable[RecipeSpec]:
    yield RECOVERY
