"""A trainer whose client-1 sends NaN in its second round, and kills its whole node in the third."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace

from intertwiner.federated.client import Client
from intertwiner_fedchem.flower.trainer import main

honest = Client.fit


def fit(self, payload):
    if self.name == "client-1" and payload.round == 2:
        os.killpg(0, signal.SIGKILL)
    update = honest(self, payload)
    if self.name == "client-1" and payload.round == 1:
        spoilt = {name: value * float("nan") for name, value in update.arrays.items()}
        return replace(update, arrays=spoilt)
    return update


Client.fit = fit
main(sys.argv[1:])
