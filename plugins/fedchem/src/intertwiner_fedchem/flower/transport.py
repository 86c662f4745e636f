"""The rounds of a federation over Flower's grid of nodes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from torch import Tensor

from intertwiner.errors import RunError
from intertwiner.federated.client import Payload
from intertwiner.federated.transport import Reply
from intertwiner.federated.wire import pack_payload, unpack_reply
from intertwiner_fedchem.flower.messages import blob_of, record_of

__all__ = ["GridTransport"]

SHORT, LONG = 0.05, 1.0
TRAIN: Final = "train"


class GridTransport:
    """Sends a round to nodes and collects their answers, also those that come too late.

    grid: Flower's. nodes: node id -> client, of the keys that were registered. examples: how many
    records each client declared.
    """

    def __init__(self, grid: Any, nodes: Mapping[int, str], examples: Mapping[str, int]) -> None:
        self._grid, self._names, self._examples = grid, dict(nodes), dict(examples)
        self._nodes = {name: node for node, name in nodes.items()}
        self._open: dict[str, Reply] = {}
        self._round = 0
        self._kept: dict[str, dict[str, Tensor]] = {name: {} for name in examples}

    def wait(self, seconds: float) -> list[str]:
        """Waits until all nodes are there; the clients still missing after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            missing = sorted(set(self._nodes.values()) - set(self._grid.get_node_ids()))
            if not missing or time.monotonic() > deadline:
                return [self._names[node] for node in missing]
            time.sleep(SHORT)

    def clients(self) -> dict[str, int]:
        return dict(self._examples)

    def send(self, payload: Payload, clients: Sequence[str]) -> None:
        from flwr.app import Message

        self._round = payload.round
        messages = [
            Message(
                record_of(pack_payload(name, payload, self._kept[name])),
                dst_node_id=self._nodes[name],
                message_type=TRAIN,
                group_id=str(payload.round),
            )
            for name in clients
        ]
        tickets = list(self._grid.push_messages(messages))
        for name, ticket in zip(clients, tickets or [None] * len(messages), strict=True):
            asked = Reply(run=payload.run, round=payload.round, client=name)
            self._open[ticket or f"unsent {name} {payload.round}"] = asked

    def collect(self, deadline: float) -> Iterator[Reply]:
        """Asks the SuperLink more and more rarely, once a second at last."""
        pause = SHORT
        while any(asked.round == self._round for asked in self._open.values()):
            heard = list(self._grid.pull_messages(list(self._open)))
            for message in heard:
                asked = self._open.pop(message.metadata.reply_to_message_id, None)
                if asked is not None:
                    yield self._reply(message, asked)
            if time.monotonic() > deadline:
                return
            pause = SHORT if heard else min(2 * pause, LONG)
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))

    def _reply(self, message: Any, asked: Reply) -> Reply:
        """What a node says. It may say anything, but only for its own client."""
        if message.has_error():
            reason = " ".join(str(message.error.reason).split())
            return replace(asked, error=f"its node answered with error: {reason}")
        try:
            reply, kept = unpack_reply(blob_of(message.content))
        except (RunError, KeyError, AttributeError, TypeError) as error:
            return replace(asked, error=f"its answer cannot be read: {error}")
        if reply.client != asked.client:
            return replace(asked, error=f"it answered in the name of {reply.client!r}")
        if reply.update is not None and reply.round == asked.round:
            self._kept[asked.client] = kept
        return reply

    def remembered(self) -> dict[str, dict[str, Tensor]]:
        return self._kept

    def remember(self, kept: Mapping[str, Mapping[str, Tensor]]) -> None:
        self._kept |= {name: dict(tensors) for name, tensors in kept.items()}

    def close(self) -> None:
        """The nodes are ended by whoever started them."""
