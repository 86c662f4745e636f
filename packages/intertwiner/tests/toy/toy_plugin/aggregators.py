from __future__ import annotations

import os
import signal
import time

import torch

from intertwiner.federated import Aggregated, weighted_mean


class Mean:
    def __init__(self, config) -> None:
        self.config = config

    def init(self, arrays):
        return {}

    def aggregate(self, updates, arrays, state, context):
        return Aggregated(weighted_mean(updates), state, {"clients": len(updates)})


class Momentum(Mean):
    """s <- beta s + (mean - theta); theta <- theta + size s."""

    def init(self, arrays):
        return {name: torch.zeros_like(value) for name, value in arrays.items()} | {"rounds": 0}

    def aggregate(self, updates, arrays, state, context):
        mean = weighted_mean(updates)
        speed = {
            name: self.config.beta * state[name] + (mean[name] - value)
            for name, value in arrays.items()
        }
        moved = {name: value + self.config.size * speed[name] for name, value in arrays.items()}
        return Aggregated(moved, speed | {"rounds": state["rounds"] + 1})


class near:
    """loss + mu/2 |theta - global|^2; counts the rounds that a client took part in."""

    def __init__(self, config, context) -> None:
        self.config, self.context = config, context

    def __call__(self, batch):
        loss = self.context.objective(batch)
        for name, value in self.context.model.named_parameters():
            loss = loss + self.config.mu / 2 * (value - self.context.arrays[name]).square().sum()
        return loss

    def remember(self):
        before = self.context.remembered.get("rounds", torch.zeros(1))
        return {"rounds": before + 1}


class mortal(near):
    """Client 1 is killed, client 2 hangs, client 3 raises; the others train."""

    def __call__(self, batch):
        if self.context.client == "client-1":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.context.client == "client-2":
            time.sleep(1000)
        if self.context.client == "client-3":
            raise MemoryError("out of memory")
        return self.context.objective(batch)
