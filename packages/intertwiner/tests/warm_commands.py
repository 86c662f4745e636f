"""A process that has imported torch, and runs every `intertwiner ...` it is asked for in a fork.

Starting Python and importing torch costs seconds, forking a process that has done so costs
milliseconds; what runs in the fork is the command line as a user's shell would start it, with its
own environment, working folder, standard streams and exit status.

Requests are lines of JSON on standard input, {"arguments", "environment", "folder", "out", "err",
"seconds"}; the answer is a line with the exit status, or `late` where the time was up.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
import traceback
from typing import Any, NoReturn

PRELOADED = (
    "torch",
    "torch_geometric.data",
    "lightning_fabric",
    "intertwiner.cli",
    "intertwiner.conformance",
    "intertwiner.training.loop",
    "intertwiner.training.recipes",
)
PAUSE = 0.005
"""seconds."""


def main() -> None:
    """Answers until standard input ends."""
    for module in PRELOADED:
        importlib.import_module(module)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            run(request)
        sys.stdout.write(f"{wait(child, request['seconds'])}\n")
        sys.stdout.flush()


def wait(child: int, seconds: float) -> int | str:
    """The exit status of the child, which is killed after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(PAUSE)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "late"


def run(request: dict[str, Any]) -> NoReturn:
    """The command, in this process, which it ends."""
    status = 1
    try:
        enter(request)
        from intertwiner.cli import run as run_command

        status = run_command(request["arguments"])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def enter(request: dict[str, Any]) -> None:
    """Environment, folder, path, arguments and streams of the request."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    folders = request["environment"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [request["folder"], *filter(None, folders)]
    sys.argv = ["intertwiner", *request["arguments"]]
    files = (os.devnull, request["out"], request["err"])
    for number, file in enumerate(files):
        opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    importlib.invalidate_caches()


if __name__ == "__main__":
    main()
