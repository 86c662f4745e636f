"""The eight MoleculeNet sets of the benchmark: files, columns, targets, digests. No torch here.

Nothing is downloaded: the files are those of the chemprop and DeepChem repositories (MIT; terms of
each set are the upstream's), whose rows are the benchmark's. The order of the rows matters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from intertwiner.fields import GRAPH, Field, Label, Scalar

__all__ = ["FILES", "MoleculeNetFile"]


@dataclass(frozen=True, slots=True)
class MoleculeNetFile:
    """One set. columns: of the labels, in the order of `targets`."""

    name: str
    title: str
    filename: str
    smiles: str
    columns: tuple[str, ...]
    targets: tuple[Field, ...]
    rows: int
    sha256: str

    @property
    def classification(self) -> bool:
        return isinstance(self.targets[0].rep, Label)


def _tasks(*columns: str) -> tuple[tuple[str, ...], tuple[Field, ...]]:
    names = (re.sub(r"\W+", "_", column.lower()).strip("_") for column in columns)
    fields = zip(names, columns, strict=True)
    targets = tuple(Field(name, GRAPH, Label(2), None, column) for name, column in fields)
    return columns, targets


_SIDER: Final = (
    "Hepatobiliary disorders",
    "Metabolism and nutrition disorders",
    "Product issues",
    "Eye disorders",
    "Investigations",
    "Musculoskeletal and connective tissue disorders",
    "Gastrointestinal disorders",
    "Social circumstances",
    "Immune system disorders",
    "Reproductive system and breast disorders",
    "Neoplasms benign, malignant and unspecified (incl cysts and polyps)",
    "General disorders and administration site conditions",
    "Endocrine disorders",
    "Surgical and medical procedures",
    "Vascular disorders",
    "Blood and lymphatic system disorders",
    "Skin and subcutaneous tissue disorders",
    "Congenital, familial and genetic disorders",
    "Infections and infestations",
    "Respiratory, thoracic and mediastinal disorders",
    "Psychiatric disorders",
    "Renal and urinary disorders",
    "Pregnancy, puerperium and perinatal conditions",
    "Ear and labyrinth disorders",
    "Cardiac disorders",
    "Nervous system disorders",
    "Injury, poisoning and procedural complications",
)
_TOX21: Final = (
    *("NR-AR", "NR-AR-LBD", "NR-AhR", "NR-Aromatase", "NR-ER", "NR-ER-LBD", "NR-PPAR-gamma"),
    *("SR-ARE", "SR-ATAD5", "SR-HSE", "SR-MMP", "SR-p53"),
)

FILES: Final = (
    MoleculeNetFile(
        "esol",
        "ESOL: solubility in water",
        "delaney-processed.csv",
        "smiles",
        ("measured log solubility in mols per litre",),
        (Field("log_solubility", GRAPH, Scalar(), "log10(mol/L)", "solubility in water"),),
        1128,
        "8c06a76f0c6487d29ab0f903e6a7a7139f189ab3c1178f159c8be8964602f189",
    ),
    MoleculeNetFile(
        "freesolv",
        "FreeSolv: free energy of hydration",
        "freesolv_chemprop.csv",
        "smiles",
        ("freesolv",),
        (Field("hydration_energy", GRAPH, Scalar(), "kcal/mol", "free energy of hydration"),),
        642,
        "97d74c86228d4c16c0fbbf063bb8280354d8152db09a85ade8517a2f43bd9824",
    ),
    MoleculeNetFile(
        "lipo",
        "Lipophilicity: octanol and water at pH 7.4",
        "lipo_chemprop.csv",
        "smiles",
        ("lipo",),
        (Field("logd", GRAPH, Scalar(), "log10", "distribution coefficient at pH 7.4"),),
        4200,
        "aa9bd9669188e35efd908758a75561bba402016d901fed2d0d949289abbcf31c",
    ),
    MoleculeNetFile(
        "bace",
        "BACE: inhibitors of beta-secretase 1",
        "bace_chemprop.csv",
        "mol",
        *_tasks("Class"),
        1513,
        "847be1e38d3798c60df03e1aaf2ccd0f09f9ed89407de78e80463aa637088532",
    ),
    MoleculeNetFile(
        "bbbp",
        "BBBP: passage of the blood-brain barrier",
        "bbbp_chemprop.csv",
        "smiles",
        *_tasks("p_np"),
        2039,
        "a61e17872cbec0743a6147dc802a1f7550acfe8dc1053f881f4c42a3ce2dc597",
    ),
    MoleculeNetFile(
        "clintox",
        "ClinTox: approval and toxicity in trials",
        "clintox_chemprop.csv",
        "smiles",
        *_tasks("FDA_APPROVED", "CT_TOX"),
        1478,
        "cc561402d058a0d996a9f5e5d02bc20f6652b7003525b32c3598b8da4b24e9b7",
    ),
    MoleculeNetFile(
        "sider",
        "SIDER: side effects by organ",
        "sider_chemprop.csv",
        "smiles",
        *_tasks(*_SIDER),
        1427,
        "71efc6ac4ca82d6545bc512509863281be0f17234afd7adaf71a71899988302e",
    ),
    MoleculeNetFile(
        "tox21",
        "Tox21: twelve assays of toxicity",
        "tox21_chemprop.csv",
        "smiles",
        *_tasks(*_TOX21),
        7831,
        "b58cc1f683e78e3c7a1bf7116e9aac0119804018d100f7b8cdb0857941c31aca",
    ),
    MoleculeNetFile(
        "hiv",
        "HIV: inhibition of replication, not in the benchmark's table",
        "HIV.csv.gz",
        "smiles",
        *_tasks("HIV_active"),
        41127,
        "e030db7c685b415f4a8ab99253b6db546d80221915d4210c70a694775d6b6dd9",
    ),
)
