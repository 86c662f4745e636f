"""What a SuperNode starts for every message: hands it to the node's trainer and sends its answer.

Flower starts a new process for every message; the trainer beside it lives on, with the records and
the model in its memory.
"""

from __future__ import annotations

from typing import Any

from flwr.app import Message
from flwr.clientapp import ClientApp

from intertwiner_fedchem.flower.groups import die_with_parent
from intertwiner_fedchem.flower.messages import blob_of, record_of
from intertwiner_fedchem.flower.sockets import ask

__all__ = ["app"]

app = ClientApp()


@app.train()  # type: ignore[untyped-decorator]
def train(message: Any, context: Any) -> Any:
    """One round of this node's client."""
    die_with_parent()
    answer = ask(str(context.node_config["trainer"]), blob_of(message.content))
    return Message(record_of(answer), reply_to=message)
