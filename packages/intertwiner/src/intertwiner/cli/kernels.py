"""`intertwiner kernels [list|verify|bench] [OP ...]`: which serves, is it right, is it fast."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from intertwiner.cli._shared import installed, parser, print_json, table
from intertwiner.config import suggestion
from intertwiner.errors import LookupFailed
from intertwiner.registry import Entry, Registry
from intertwiner.specs import KernelSpec

__all__ = ["main"]

REPEATS = 7


def main(arguments: Sequence[str]) -> int:
    options = parser("kernels", "which kernel serves which operation; verify and time them")
    options.add_argument("action", nargs="?", choices=("list", "verify", "bench"), default="list")
    options.add_argument("ops", nargs="*", metavar="OP", help="an operation; without one, all")
    chosen = options.parse_args(arguments)
    registry = installed()
    ops = _checked(chosen.ops, {entry.spec.op for entry in registry.kernels})
    heads, rows = {"list": _list, "verify": _verify, "bench": _bench}[chosen.action](registry, ops)
    if chosen.json:
        print_json({"action": chosen.action, "rows": rows})
    else:
        print(table(heads, [[_cell(head, row[head]) for head in heads] for row in rows]))
    failures = [row for row in rows if row.get("holds") is False]
    for row in failures:
        print(f"error: kernel {row['kernel']}: {row['result']}", file=sys.stderr)
    return 1 if failures else 0


def _checked(asked: Sequence[str], known: set[str]) -> set[str]:
    """The operations asked for, all when none is. Raises `LookupFailed` for an unknown one."""
    for op in asked:
        if op not in known:
            raise LookupFailed(f"no kernel serves {op!r}{suggestion(op, known)}")
    return set(asked) or known


def _cell(head: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if head.endswith("_s"):
        return f"{value * 1e6:,.1f} us"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _list(registry: Registry, ops: set[str]) -> tuple[list[str], list[dict[str, Any]]]:
    import torch

    from intertwiner.kernels import rank

    rows = []
    for op in sorted(ops):
        for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
            serving = False
            for item in rank(registry, op, torch.device(device), torch.float32):
                state = item.obstacle or ("available" if serving else "serves")
                serving = serving or item.obstacle is None
                row = {"op": op, "device": device, "kernel": item.entry.id, "state": state}
                rows.append(row)
    return ["op", "device", "kernel", "state"], rows


def _of(registry: Registry, ops: set[str]) -> list[Entry[KernelSpec]]:
    return [entry for entry in registry.kernels if entry.spec.op in ops]


def _verify(registry: Registry, ops: set[str]) -> tuple[list[str], list[dict[str, Any]]]:
    rows = []
    for entry in _of(registry, ops):
        result, holds, deviations = _verify_one(entry.spec)
        rows.append(
            {
                "kernel": entry.id,
                "op": entry.spec.op,
                "result": result,
                "holds": holds,
                "deviations": deviations,
            }
        )
    return ["kernel", "op", "result"], rows


def _verify_one(spec: Any) -> tuple[str, bool | None, list[dict[str, Any]]]:
    """What to print, whether the kernel agrees (None when it cannot run here), all numbers."""
    from intertwiner.conformance.checks.kernels import compare_with_reference, obstacle

    reason = obstacle(spec)
    if reason is not None:
        return f"not run: {reason}", None, []
    try:
        deviations = compare_with_reference(spec)
    except Exception as error:
        return f"raised {type(error).__name__}: {error}", False, []
    plain = [asdict(deviation) for deviation in deviations]
    worst = max(deviations, key=lambda deviation: deviation.error / (deviation.allowed or 1))
    numbers = (
        f"{worst.quantity} in {worst.dtype} off by {worst.error:.2g}, size {worst.size:.2g}, "
        f"allowed {worst.allowed:.2g}"
    )
    return ("agrees: " if worst.holds else "WRONG: ") + numbers, worst.holds, plain


def _bench(registry: Registry, ops: set[str]) -> tuple[list[str], list[dict[str, Any]]]:
    import torch

    from intertwiner.conformance.checks.kernels import obstacle
    from intertwiner.floors import Machine

    serving = {row["kernel"] for row in _list(registry, ops)[1] if row["state"] == "serves"}
    machines = {name: Machine(torch.device(name)) for name in ("cpu", "cuda")}
    rows = []
    for entry in sorted(_of(registry, ops), key=lambda each: (each.spec.op, -each.spec.priority)):
        if obstacle(entry.spec) is None:
            machine = machines["cuda" if entry.spec.device == "cuda" else "cpu"]
            rows.append({**_bench_one(entry, machine), "serves": entry.id in serving})
    heads = ["op", "kernel", "serves", "ours_s", "other_s", "ratio", "bytes", "operations"]
    return [*heads, "floor_bytes_s", "floor_operations_s", "times_floor"], rows


def _bench_one(entry: Any, machine: Any) -> dict[str, Any]:
    """Times, what the definition moves and computes, and how far the kernel is from that."""
    from intertwiner.benchmark import compare
    from intertwiner.floors import cost_of
    from intertwiner.specs import load_target

    arguments = _workload(entry.spec, machine.device)
    reference = load_target(entry.spec.reference)
    cost = cost_of(reference, arguments)
    ours = functools.partial(load_target(entry.spec.target), *arguments)
    plain = functools.partial(reference, *arguments)
    row = compare(entry.id, ours, plain, against="reference", repeats=REPEATS)
    of_bytes, of_operations = machine.seconds(cost)
    return {
        **{"kernel": entry.id, "op": entry.spec.op},
        **asdict(row),
        **{"bytes": cost.bytes, "operations": cost.operations},
        **{"floor_bytes_s": of_bytes, "floor_operations_s": of_operations},
        "times_floor": row.ours_s / max(of_bytes, of_operations),
    }


def _workload(spec: Any, device: Any) -> Sequence[Any]:
    """Arguments of the size of a real step where the kernel declares them, else its largest."""
    import torch

    from intertwiner.specs import load_target

    generator = torch.Generator(device).manual_seed(0)
    if spec.workload:
        return list(load_target(spec.workload)(torch.float32, device, generator))
    examples = load_target(spec.examples)(torch.float32, device, generator)
    return list(max(examples, key=_elements))


def _elements(arguments: Iterable[Any]) -> int:
    return sum(getattr(argument, "numel", lambda: 0)() for argument in arguments)
