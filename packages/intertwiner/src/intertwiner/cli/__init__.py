"""The command line: one small module per verb, imported only when its verb is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Final

from intertwiner import __version__
from intertwiner.config import suggestion
from intertwiner.errors import IntertwinerError

__all__ = ["VERBS", "run"]

VERBS: Final = {
    "list": "what is installed, and which plugins had to be left out",
    "show": "everything about one model, dataset, kernel, adapter or recipe",
    "match": "which models run on which datasets, and why others do not",
    "train": "train a model on a dataset into a run folder",
    "federate": "train a model over clients that keep their records",
    "evaluate": "errors of a run on its test part, with units and error bars",
    "predict": "predictions of a run for your own files",
    "sample": "samples from a run of a generative model, into a file",
    "reproduce": "run a published experiment and put its figures beside the published ones",
    "check": "hold a plugin against the conformance kit",
    "new": "write the first files of a plugin, whose tests pass as written",
    "kernels": "which kernel serves which operation; verify and time them",
    "data": "list, fetch, verify and locate datasets",
    "view": "draw the molecules of a file, or the curves of a run",
    "doctor": "versions, devices, failed plugins, cache, and what is missing",
}


def run(arguments: Sequence[str]) -> int:
    """Runs one verb; errors a user can act on become one line and an exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_help())
        return 0 if arguments else 2
    verb, *rest = arguments
    if verb == "--version":
        print(f"intertwiner {__version__}")
        return 0
    if verb not in VERBS:
        print(f"error: no verb {verb!r}{suggestion(verb, VERBS)}", file=sys.stderr)
        return 2
    try:
        code: int = importlib.import_module(f"intertwiner.cli.{verb}").main(rest)
    except IntertwinerError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return code


def _help() -> str:
    width = max(map(len, VERBS))
    lines = [f"  {verb:<{width}}  {summary}" for verb, summary in VERBS.items()]
    return "\n".join(
        [
            "usage: intertwiner VERB ...",
            "",
            *lines,
            "",
            "`intertwiner VERB --help` says more; verbs that report take --json.",
        ]
    )
