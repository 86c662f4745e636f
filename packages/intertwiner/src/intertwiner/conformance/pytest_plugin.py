"""The option `--plugin NAME` of pytest, for the cases in `test_plugin`.

pytest reads the options of a package given with `--pyargs` too late for its conftest, hence `-p`:

    pytest -p intertwiner.conformance.pytest_plugin --pyargs intertwiner.conformance --plugin NAME
"""

from __future__ import annotations

import pytest

from intertwiner.errors import IntertwinerError

__all__ = ["pytest_addoption", "pytest_generate_tests"]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("intertwiner")
    group.addoption("--plugin", action="store", help="name of the intertwiner plugin to check")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each case of the plugin; no plugin, or none of its cases, is an error."""
    if "conformance_case" not in metafunc.fixturenames:
        return
    plugin = metafunc.config.getoption("plugin")
    if plugin is None:
        raise pytest.Collector.CollectError("say which plugin to check: --plugin NAME")
    from intertwiner.conformance.run import plugin_cases

    try:
        found = plugin_cases(plugin)
    except IntertwinerError as error:
        raise pytest.Collector.CollectError(str(error)) from None
    metafunc.parametrize("conformance_case", found, ids=[case.id for case in found])
