"""What a plugin says about itself can be taken at its word, before anything is computed."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import yaml

from intertwiner.config import build, merge, to_plain, unflatten
from intertwiner.conformance.findings import Finding
from intertwiner.conformance.structures import KITS
from intertwiner.errors import ConfigError, DeclarationError
from intertwiner.specs import AdapterSpec, ModelSpec, RecipeSpec, Spec, load_target

__all__ = ["free_of_torch", "imports_resolve", "model_declaration", "recipe", "settings"]

_PROBE: Final = """
import importlib, sys
sys.path[:] = {path!r}
for name in {modules!r}:
    importlib.import_module(name)
    if "torch" in sys.modules:
        print(name)
        break
"""
UNKNOWN_SETTING: Final = "no-such-setting"


def free_of_torch(modules: tuple[str, ...]) -> list[Finding]:
    """A new interpreter imports the declaration and the settings without importing torch."""
    script = _PROBE.format(path=sys.path, modules=modules)
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return [Finding(modules[0], f"cannot be imported by itself: {reason}")]
    if done.stdout.strip():
        hint = "its imports: declarations and settings name heavy parts by import strings"
        return [Finding(done.stdout.strip(), "imports torch", hint=hint)]
    return []


def imports_resolve(spec: Spec) -> list[Finding]:
    """Every import string names something that exists."""
    findings = []
    for name, text in _import_strings(spec):
        try:
            load_target(text)
        except (ImportError, DeclarationError) as error:
            findings.append(Finding(name, f"{text!r} cannot be loaded: {error}"))
    return findings


def _import_strings(spec: Spec) -> Iterator[tuple[str, str]]:
    for name in spec._imports():
        text = getattr(spec, name)
        if text is not None:
            yield name, text
    if isinstance(spec, ModelSpec):
        for version, text in spec.migrations.items():
            yield f"migrations[{version}]", text


def settings(kind: Any, overrides: Mapping[str, Any]) -> list[Finding]:
    """A frozen dataclass with a default everywhere that survives YAML and refuses unknown keys."""
    if not dataclasses.is_dataclass(kind) or not isinstance(kind, type):
        return [Finding("config", f"is a {type(kind).__name__}, must be a frozen dataclass")]
    if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return [Finding("config", f"{kind.__name__} is not frozen: write @dataclass(frozen=True)")]
    bare = [field.name for field in dataclasses.fields(kind) if _has_no_default(field)]
    if bare:
        return [Finding(bare[0], f"{kind.__name__}.{bare[0]} has no default value")]
    return [*_survives_yaml(kind, {}), *_survives_yaml(kind, overrides), *_refuses(kind)]


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.init and field.default is missing and field.default_factory is missing


def _survives_yaml(kind: type[Any], values: Mapping[str, Any]) -> list[Finding]:
    try:
        config = build(kind, values)
        again = build(kind, yaml.safe_load(yaml.safe_dump(to_plain(config))))
    except (ConfigError, yaml.YAMLError) as error:
        return [Finding("config", f"{kind.__name__} with {dict(values)} does not build: {error}")]
    changed = [
        field.name
        for field in dataclasses.fields(kind)
        if getattr(config, field.name) != getattr(again, field.name)
    ]
    what = "comes back from YAML with another value"
    hint = "its type annotation: plain types only, such as tuple[int, ...] in place of a list"
    return [Finding(name, what, hint=hint) for name in changed]


def _refuses(kind: type[Any]) -> list[Finding]:
    try:
        build(kind, {UNKNOWN_SETTING: 1})
    except ConfigError:
        return []
    return [Finding("config", f"{kind.__name__} takes an unknown setting without a word")]


def model_declaration(spec: ModelSpec) -> list[Finding]:
    """Inputs and outputs are named once, and every older checkpoint version has its migration."""
    findings = []
    if not spec.inputs:
        findings.append(Finding("inputs", "no input field is declared"))
    names = [field.name for field in spec.inputs]
    for name in sorted({name for name in names if names.count(name) > 1}):
        findings.append(Finding(name, "two input fields have this name"))
    for version in range(1, spec.checkpoint_version):
        if version not in spec.migrations:
            what = f"no migration lifts a checkpoint of version {version} to {version + 1}"
            findings.append(Finding("migrations", what))
    return [*findings, *_strange_sites(spec)]


def _strange_sites(spec: ModelSpec) -> list[Finding]:
    """Sites that the symmetry renumbers and the structure does not have."""
    if spec.symmetry is None or spec.reads not in KITS:
        return []
    sites = KITS[spec.reads].sites
    strange = [site for site in spec.symmetry.permutes if site not in sites]
    what = f"cannot be renumbered: records of {spec.reads} have {', '.join(sites[1:])}"
    return [Finding(f"symmetry.permutes {site!r}", what) for site in strange]


def adapter_declaration(spec: AdapterSpec) -> list[Finding]:
    """Readers, and they alone, name file suffixes; an adapter leads somewhere else."""
    reads_files = spec.takes == "file"
    if spec.gives == "file":
        return [Finding("gives", "no adapter gives files")]
    if spec.takes == spec.gives:
        return [Finding("gives", f"takes and gives {spec.takes}: it would never be used")]
    if reads_files != bool(spec.suffixes):
        what = f"takes {spec.takes} with suffixes {spec.suffixes}: readers have suffixes, no others"
        return [Finding("suffixes", what)]
    wrong = [suffix for suffix in spec.suffixes if not suffix.startswith(".")]
    return [Finding("suffixes", f"{suffix!r} must begin with a dot") for suffix in wrong]


def recipe(spec: RecipeSpec, kinds: Callable[[str, str], Mapping[str, Any]]) -> list[Finding]:
    """Every arm at every scale gives settings that build; the scale "small" is there.

    kinds: (model, dataset) -> section ("model", "data", "training") -> config class, for the
    sections that are known here.
    """
    findings = []
    if "small" not in spec.scales:
        findings.append(Finding("scales", f"no scale 'small'; there are {', '.join(spec.scales)}"))
    for scale_name, scale in spec.scales.items():
        for arm in scale.arms or spec.arms:
            values = merge(unflatten(scale.overrides), unflatten(arm.overrides))
            dataset = arm.dataset or scale.dataset or spec.dataset
            found = kinds(arm.model or spec.model, dataset)
            for section, kind in found.items():
                where = f"arm {arm.name!r} at scale {scale_name!r}"
                findings += _builds(kind, values.get(section) or {}, section, where)
    return findings


def _builds(kind: Any, values: Mapping[str, Any], section: str, where: str) -> list[Finding]:
    try:
        build(kind, values, section)
    except ConfigError as error:
        return [Finding(section, f"{where}: {error}")]
    return []
