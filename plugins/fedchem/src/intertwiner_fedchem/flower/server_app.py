"""What a SuperLink starts: serves the rounds of a job over the nodes and writes how it ended."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flwr.serverapp import ServerApp

from intertwiner.atomic import write_atomically
from intertwiner.errors import IntertwinerError, RunError
from intertwiner.federated.engines import Job
from intertwiner.registry import load_registry
from intertwiner_fedchem.flower.groups import die_with_parent
from intertwiner_fedchem.flower.plan import Plan
from intertwiner_fedchem.flower.transport import GridTransport

__all__ = ["app", "serve"]

app = ServerApp()


@app.main()  # type: ignore[untyped-decorator]
def main(grid: Any, context: Any) -> None:
    """Serves the plan that the run was started with."""
    die_with_parent()
    plan = Plan.load(Path(str(context.run_config["plan"])))
    write_atomically(plan.process, [str(os.getpid()).encode()])
    try:
        found = serve(grid, plan)
    except IntertwinerError as error:
        found = {"error": str(error), "kind": type(error).__name__}
    write_atomically(plan.result, [json.dumps(found).encode()])


def serve(grid: Any, plan: Plan) -> dict[str, Any]:
    """All rounds. Raises `RunError` when not enough nodes connect in time for a quorum."""
    job = Job.from_json(plan.job.read_text())
    transport = GridTransport(grid, plan.nodes, plan.examples)
    missing = transport.wait(plan.start_s)
    if len(missing) == len(plan.nodes):
        raise RunError(f"no node connected within {plan.start_s:.0f} s; see their logs")
    return asdict(job.run(load_registry(), transport))
