"""Loading one plugin so that whatever it does wrong stays its own.

Every step that runs the plugin's code catches everything short of the user's own interrupt,
`SystemExit` and endless recursion included, and turns it into one line.
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from types import ModuleType
from typing import Any

import pluggy

from intertwiner import hookspecs
from intertwiner.config import suggestion
from intertwiner.errors import DeclarationError
from intertwiner.registry.discovery import Claim
from intertwiner.registry.entries import KINDS, Entry, Failure, Plugin

__all__ = ["load_plugin"]

_HOOKS = {f"{hookspecs.PROJECT}_{kind}": kind for kind in KINDS}


class _Refused(Exception):
    """Loading stopped at a stage, for a reason that the user should read."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = reason


def load_plugin(claim: Claim, module: ModuleType | None = None) -> Plugin | Failure:
    """The plugin with all its records, or the one reason why it is left out.

    module: an imported declaration to use in place of importing `claim.module`.
    """
    try:
        module = module or _import(claim)
        _check_hooks(module)
        records = {kind: _collect(claim, module, hook) for hook, kind in _HOOKS.items()}
        return Plugin(claim.plugin, claim.distribution, claim.version, claim.module, records)
    except _Refused as refused:
        return Failure(
            claim.plugin, claim.distribution, claim.version, refused.stage, refused.reason
        )


def _import(claim: Claim) -> ModuleType:
    had_torch = "torch" in sys.modules
    try:
        module = importlib.import_module(claim.module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        remedy = f"reinstall it: pip install --force-reinstall {claim.distribution}"
        raise _Refused("import", f"{_one_line(error)}; {remedy}, or uninstall it") from error
    if not had_torch and "torch" in sys.modules:
        raise _Refused(
            "import",
            f"{claim.module} imports torch; a declaration must not: name heavy parts by import "
            "strings such as 'package.model:Model'",
        )
    return module


def _check_hooks(module: ModuleType) -> None:
    for name, value in vars(module).items():
        if not name.startswith(f"{hookspecs.PROJECT}_") or not callable(value):
            continue
        if name not in _HOOKS:
            raise _Refused("hooks", f"no hook is called {name!r}{suggestion(name, _HOOKS)}")
        if not hasattr(value, f"{hookspecs.PROJECT}_impl"):
            raise _Refused("hooks", f"{name} is not marked; write @hookimpl above it")
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(module)
    except pluggy.PluginValidationError as error:
        reason = str(error).splitlines()[-1].strip()
        raise _Refused("hooks", f"wrong signature: {reason}; hooks take no argument") from error


def _collect(claim: Claim, module: ModuleType, hook: str) -> tuple[Entry[Any], ...]:
    function = getattr(module, hook, None)
    if function is None:
        return ()
    try:
        records = list(function())
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _Refused("records", f"{hook}: {_explain(error)}") from error
    _check_records(hook, records)
    return tuple(
        Entry(claim.plugin, claim.distribution, claim.version, record) for record in records
    )


def _check_records(hook: str, records: list[Any]) -> None:
    expected = KINDS[_HOOKS[hook]]
    for record in records:
        if type(record) is not expected:
            raise _Refused(
                "records",
                f"{hook} yielded {type(record).__name__}, must yield {expected.__name__}",
            )
    repeated = [name for name, times in Counter(r.name for r in records).items() if times > 1]
    if repeated:
        raise _Refused("records", f"{hook} yielded {repeated[0]!r} twice; names must differ")


def _explain(error: BaseException) -> str:
    if isinstance(error, DeclarationError):
        return str(error)
    text = _one_line(error)
    if isinstance(error, TypeError) and "unexpected keyword argument" in text:
        return f"{text}; it was written for a newer core: pip install --upgrade intertwiner"
    return text


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
