"""The conformance kit holds every item of the plugin against what it declares."""

from __future__ import annotations

from intertwiner.conformance.run import run


def test_the_plugin_keeps_what_it_declares():
    result = run("tiny-painn")
    assert result.well, str(result)
    assert result.count("passed") > 0
