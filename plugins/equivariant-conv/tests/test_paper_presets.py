"""Parameter counts of the paper's network, all of them, and matched widths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertwiner.config import build
from intertwiner_equivariant_conv.errors import InvalidSetting
from intertwiner_equivariant_conv.paper.config import (
    PRESETS,
    PaperConfig,
    PaperL0Config,
    PaperL1Config,
    PaperL2Config,
)
from intertwiner_equivariant_conv.paper.network import PaperNetwork
from intertwiner_equivariant_conv.paper.presets import (
    count_components,
    count_parameters,
    count_paths,
    gated,
    match_width,
)

Make = Callable[..., Any]
SMALL = {"embed": 32, "radial_hidden": 32, "radial_basis": 16}

PUBLISHED = [
    ("paper-l0", 128, [16384] * 4 + [128], {3: 6_400_256, 4: 8_520_192, 5: 10_640_128}),
    ("paper-l1", 127, [13568] + [9892] * 3 + [85], {3: 4_372_352, 4: 5_661_312, 5: 6_950_272}),
    ("paper-l2", 124, [11008] + [6600] * 3 + [64], {3: 3_199_232, 4: 4_066_816, 5: 4_934_400}),
    ("paper-multitask-l1", 96, [7680] + [5632] * 3 + [64], {4: 2_436_480}),
    ("small-l0", 32, None, {3: 105_792}),
    ("small-l1", 31, None, {3: 71_904}),
    ("small-l2", 32, None, {3: 57_152}),
]

MATCHED = [
    (8_520_192, 3, (152,), 8_516_864),
    (8_520_192, 3, (96, 32), 8_497_408),
    (8_520_192, 3, (77, 26, 15), 8_491_520),
    (8_520_192, 4, (128,), 8_520_192),
    (8_520_192, 4, (81, 27), 8_499_456),
    (8_520_192, 4, (65, 22, 13), 8_594_432),
    (8_520_192, 5, (113,), 8_541_568),
    (8_520_192, 5, (71, 24), 8_477_824),
    (8_520_192, 5, (58, 19, 12), 8_715_136),
    (5_661_312, 3, (119,), 5_682_560),
    (5_661_312, 3, (75, 25), 5_673_216),
    (5_661_312, 3, (60, 20, 12), 5_654_272),
    (5_661_312, 4, (101,), 5_700_096),
    (5_661_312, 4, (64, 21), 5_661_312),
    (5_661_312, 4, (51, 17, 10), 5_627_136),
]


@pytest.mark.parametrize(("name", "components", "paths", "counts"), PUBLISHED)
def test_counts_of_the_presets(
    name: str, components: int, paths: list[int] | None, counts: dict[int, int]
) -> None:
    config = PaperConfig(**PRESETS[name])
    blocks = config.multiplicities
    assert count_components(blocks) == components
    for depth, expected in counts.items():
        assert count_parameters(PaperConfig(**{**PRESETS[name], "layers": depth})) == expected
    if paths is not None:
        inputs = [(config.embed,)] + [blocks] * 4
        outputs = [gated(blocks)] * 4 + [(1,)]
        assert [count_paths(*ends) for ends in zip(inputs, outputs, strict=True)] == paths


@pytest.mark.parametrize("name", sorted(PRESETS))
@pytest.mark.parametrize("targets", [("energy",), ("energy", "gap", "mu")])
def test_count_is_that_of_the_network(make_schema: Make, name: str, targets: Any) -> None:
    config = PaperConfig(**PRESETS[name])
    network = PaperNetwork(config, make_schema(*targets))
    found = sum(parameter.numel() for parameter in network.parameters())
    assert found == count_parameters(config, len(targets))


@pytest.mark.parametrize(("target", "depth", "blocks", "count"), MATCHED)
def test_matched_widths_of_the_published_sizes(
    target: int, depth: int, blocks: tuple[int, ...], count: int
) -> None:
    assert match_width(target, depth, len(blocks) - 1) == blocks
    assert count_parameters(PaperConfig(multiplicities=blocks, layers=depth)) == count


@pytest.mark.parametrize(
    ("depth", "blocks", "count"),
    [(3, (20, 7), 107_168), (2, (42,), 105_728), (2, (26, 9), 105_568), (2, (22, 7, 4), 106_272)],
)
def test_matched_widths_of_the_small_size(depth: int, blocks: tuple[int, ...], count: int) -> None:
    assert match_width(105_792, depth, len(blocks) - 1, **SMALL) == blocks
    config = PaperConfig(multiplicities=blocks, layers=depth, **SMALL)
    assert count_parameters(config) == count


@given(st.integers(3_000_000, 20_000_000), st.integers(2, 5), st.integers(0, 2))
def test_matched_width_is_within_three_percent(target: int, depth: int, lmax: int) -> None:
    config = PaperConfig(multiplicities=match_width(target, depth, lmax), layers=depth)
    assert abs(count_parameters(config) - target) <= 0.03 * target


@pytest.mark.parametrize(("target", "lmax", "text"), [(1000, 1, "within 3 %"), (10**6, 3, "lmax")])
def test_widths_that_cannot_be_are_refused(target: int, lmax: int, text: str) -> None:
    with pytest.raises(InvalidSetting, match=text):
        match_width(target, 3, lmax)


def test_every_model_is_published_as_it_stands() -> None:
    for number, kind in enumerate((PaperL0Config, PaperL1Config, PaperL2Config)):
        preset = PaperConfig(**PRESETS[f"paper-l{number}"])
        assert kind().multiplicities == preset.multiplicities
        assert kind().lmax == number


@pytest.mark.parametrize("kind", [PaperL0Config, PaperL1Config, PaperL2Config])
def test_a_model_keeps_its_order(kind: type[PaperConfig]) -> None:
    with pytest.raises(Exception, match="multiplicities"):
        build(kind, {"multiplicities": [4] * (kind().lmax + 2)})
