"""Rules for joining clients, sound and not."""

from __future__ import annotations

import torch

from intertwiner.federated import Aggregated, weighted_mean


class Mean:
    def __init__(self, config) -> None:
        self.config = config

    def init(self, arrays):
        return {}

    def join(self, updates, arrays):
        return weighted_mean(updates)

    def aggregate(self, updates, arrays, state, context):
        return Aggregated(self.join(updates, arrays), state)


class Median(Mean):
    def join(self, updates, arrays):
        return {n: torch.stack([u.arrays[n] for u in updates]).median(0).values for n in arrays}


class Momentum(Mean):
    def init(self, arrays):
        return {name: torch.zeros_like(value) for name, value in arrays.items()} | {"rounds": 0}

    def aggregate(self, updates, arrays, state, context):
        mean = weighted_mean(updates)
        speed = {n: 0.9 * state[n] + 3 * (mean[n] - arrays[n]) for n in arrays}
        moved = {n: arrays[n] + speed[n] for n in arrays}
        return Aggregated(moved, speed | {"rounds": state["rounds"] + 1})


class Scaled(Mean):
    """Adds the mean of what clients send as "drift"."""

    def join(self, updates, arrays):
        ordered = sorted(updates, key=lambda update: update.client)
        mean = weighted_mean(ordered)
        return {n: mean[n] + sum(u.aux["drift"][n] for u in ordered) / 9 for n in arrays}


class FirstCounts(Mean):
    def join(self, updates, arrays):
        return {n: 0.5 * (v + updates[0].arrays[n]) for n, v in weighted_mean(updates).items()}


class InPlace(Mean):
    def join(self, updates, arrays):
        for name, value in weighted_mean(updates).items():
            arrays[name].copy_(value)
        return dict(arrays)


class Sum(Mean):
    """Steps in proportion to all examples."""

    def join(self, updates, arrays):
        total = sum(update.num_examples for update in updates) / 450
        return {n: v + total * (weighted_mean(updates)[n] - v) for n, v in arrays.items()}


class Still(Mean):
    def join(self, updates, arrays):
        return dict(arrays)


class Hidden(Mean):
    """Counts its rounds on the side."""

    rounds = 0

    def join(self, updates, arrays):
        self.rounds += 1
        mean = weighted_mean(updates)
        return {n: v + (mean[n] - v) / self.rounds for n, v in arrays.items()}


class Wide(Mean):
    def join(self, updates, arrays):
        return {name: value.double() for name, value in weighted_mean(updates).items()}


class Empty(Mean):
    def join(self, updates, arrays):
        return {}


class Drifting(Mean):
    def join(self, updates, arrays):
        return {name: value + 0.01 for name, value in weighted_mean(updates).items()}
