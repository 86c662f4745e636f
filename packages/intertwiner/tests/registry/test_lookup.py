"""Items answer to their id, and to their short name while it is theirs alone."""

from __future__ import annotations

from types import ModuleType

import pytest

from intertwiner.errors import LookupFailed
from intertwiner.fields import Structure
from intertwiner.hookspecs import hookimpl
from intertwiner.registry import Failure, Registry
from intertwiner.specs import ModelSpec


def declaration(*names: str) -> ModuleType:
    module = ModuleType("declared")

    @hookimpl
    def intertwiner_models():
        for name in names:
            yield ModelSpec(
                name=name,
                summary="",
                target="a:b",
                config="a:c",
                reads=Structure.ATOMS,
                inputs=(),
                outputs=(),
                symmetry=None,
            )

    module.intertwiner_models = intertwiner_models
    return module


@pytest.fixture
def two():
    return Registry.from_modules({"one": declaration("net", "egnn"), "two": declaration("net")})


def test_an_id_and_a_unique_short_name_find_the_same_item(two):
    assert two.model("one/egnn") is two.model("egnn")
    assert two.model("two/net").plugin == "two"


@pytest.mark.fault("F41")
def test_an_ambiguous_name_lists_its_candidates(two):
    with pytest.raises(LookupFailed, match="one/net and two/net") as caught:
        two.model("net")
    assert caught.value.exit_code == 2


def test_a_typo_gets_the_nearest_name(two):
    with pytest.raises(LookupFailed, match="did you mean 'egnn'"):
        two.model("egn")
    with pytest.raises(LookupFailed, match="no plugin 'thre'"):
        two.plugin("thre")
    with pytest.raises(LookupFailed, match="no dataset 'x'; no plugin gives any"):
        two.dataset("x")


def test_asking_for_an_item_of_a_failed_plugin_says_why_it_is_not_there():
    registry = Registry([], [Failure("lost", "dist-lost", "2", "import", "No module named 'x'")])
    for ask in (lambda: registry.model("lost/net"), lambda: registry.plugin("lost")):
        with pytest.raises(LookupFailed, match="left out at import: No module named 'x'"):
            ask()
