"""Federated training: any model on any dataset it runs on, over clients that keep their records.

A client trains the global model on its own records and sends weights; every update is checked
before an aggregator, a pure function that plugins bring, joins them. `federate` runs it all in one
process; another engine brings a `Transport` of its own to the same rounds.
"""

from __future__ import annotations

from intertwiner.federated.arms import train_arm
from intertwiner.federated.federation import FederationOutcome, federate
from intertwiner.federated.joining import weighted_mean
from intertwiner.federated.updates import Aggregated, Aggregator, RoundContext, Update

__all__ = [
    "Aggregated",
    "Aggregator",
    "FederationOutcome",
    "RoundContext",
    "Update",
    "federate",
    "train_arm",
    "weighted_mean",
]
