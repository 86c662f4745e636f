"""A quick `flwr-clientapp`: the trainer beside a node has imported Flower, and forks it.

Flower starts this command for every message and gives it 30 seconds to report; most of what it
does is import. The command written here asks the trainer instead, and waits for the fork to end;
without a trainer it becomes Flower's own.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

__all__ = ["COMMAND", "LAUNCH", "TRAINER", "flower_command", "fork", "write_command"]

COMMAND: Final = "flwr-clientapp"
TRAINER: Final = "INTERTWINER_TRAINER"
"""Environment variable with the socket of a node's trainer."""
LAUNCH: Final = b"launch "
SCRIPT: Final = """\
#!{python} -ES
import json, os, socket, struct, sys
try:
    asked = {launch!r} + json.dumps(sys.argv[1:]).encode()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(os.environ[{trainer!r}])
    connection.sendall(struct.pack("<Q", len(asked)) + asked)
except (KeyError, OSError):
    os.execv({own!r}, [{own!r}, *sys.argv[1:]])
while connection.recv(4096):
    pass
"""


def write_command(folder: Path) -> Path:
    """Writes the command into `folder`, to be put before Flower's own in PATH."""
    folder.mkdir()
    path = folder / COMMAND
    own = str(Path(sys.executable).parent / COMMAND)
    values = {"python": sys.executable, "launch": LAUNCH, "trainer": TRAINER, "own": own}
    path.write_text(SCRIPT.format(**values))
    path.chmod(0o700)
    return folder


def flower_command() -> Callable[[], None]:
    """What Flower's own command calls. The first call imports Flower."""
    (command,) = entry_points(group="console_scripts", name=COMMAND)
    found: Callable[[], None] = command.load()
    return found


def fork(words: bytes, listener: socket.socket) -> None:
    """Flower's own command in a copy of this process, which goes on at once."""
    if os.fork():
        return
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    listener.close()
    sys.argv = [COMMAND, *json.loads(words)]
    code = 1
    try:
        flower_command()()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        os._exit(code)
