"""`intertwiner VERB ...` and `python -m intertwiner VERB ...`."""

from __future__ import annotations

import sys

from intertwiner.cli import run

__all__ = ["main"]


def main() -> int:
    """Runs the command line and returns its exit code: 0 done, 1 not well, 2 wrong use."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
