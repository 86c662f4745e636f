"""Whatever one plugin does wrong is named in one line, and everything else goes on working."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

import pytest

from intertwiner import __version__
from intertwiner.registry import Registry
from intertwiner.registry.discovery import Claim

GOOD = """
    from intertwiner.hookspecs import hookimpl
    from intertwiner.fields import Structure
    from intertwiner.specs import DatasetSpec, ModelSpec

    @hookimpl
    def intertwiner_models():
        yield ModelSpec(name="net", summary="", target="a:b", config="a:c", reads=Structure.ATOMS,
                        inputs=(), outputs=(), symmetry=None)
"""

BROKEN = {
    "import-error": ("import nothing_of_this_name", "import", "nothing_of_this_name"),
    "syntax-error": ("def f(:", "import", "SyntaxError"),
    "system-exit": ("raise SystemExit(3)", "import", "SystemExit: 3"),
    "recursion": ("def f(): f()\nf()", "import", "RecursionError"),
    "base-exception": ("raise GeneratorExit('bye')", "import", "GeneratorExit: bye"),
    "misspelt-hook": (
        GOOD.replace("intertwiner_models", "intertwiner_model"),
        "hooks",
        "did you mean 'intertwiner_models'",
    ),
    "unmarked-hook": (GOOD.replace("@hookimpl", ""), "hooks", "write @hookimpl"),
    "wrong-signature": (GOOD.replace("_models()", "_models(config)"), "hooks", "wrong signature"),
    "wrong-record": (
        GOOD + "\n    @hookimpl\n    def intertwiner_datasets():\n        yield {'name': 'x'}\n",
        "records",
        "must yield DatasetSpec",
    ),
    "record-of-another-hook": (
        GOOD.replace("def intertwiner_models", "def intertwiner_kernels"),
        "records",
        "yielded ModelSpec, must yield KernelSpec",
    ),
    "newer-core": (
        GOOD.replace("symmetry=None", "symmetry=None, flavour='strange'"),
        "records",
        "'flavour'.*newer core",
    ),
    "bad-name": (GOOD.replace('"net"', '"My Net"'), "records", "My Net"),
    "same-name-twice": (GOOD + "        yield next(intertwiner_models())\n", "records", "twice"),
    "hook-raises": (
        GOOD.replace("yield ModelSpec", "1 / 0; yield ModelSpec"),
        "records",
        "ZeroDiv",
    ),
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a declaration under a module name of its own and gives the claim to it."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def claim(name: str, text: str, **changes) -> Claim:
        module = f"declared_{name.replace('-', '_')}_{abs(hash(str(tmp_path)))}"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(text))
        values = {"distribution": f"dist-{name}", "version": "1.2", "requires": ()} | changes
        return Claim(name, module, **values)

    return claim


@pytest.mark.fault("F40")
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_is_named_and_the_good_one_stays(write, fault):
    text, stage, message = BROKEN[fault]
    registry = Registry.from_claims([write("bad", text), write("good", GOOD)])
    (failure,) = registry.failed
    assert (failure.plugin, failure.distribution, failure.version) == ("bad", "dist-bad", "1.2")
    assert failure.stage == stage
    assert re.search(message, failure.error), failure.error
    assert "\n" not in str(failure)
    assert [entry.id for entry in registry.models] == ["good/net"]


@pytest.mark.fault("F40")
def test_a_declaration_that_imports_torch_is_left_out(write, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("")  # a stand-in: importing the real one takes a second
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    registry = Registry.from_claims([write("heavy", "import torch\n" + textwrap.dedent(GOOD))])
    assert "imports torch" in registry.failed[0].error
    assert "import strings" in registry.failed[0].error


@pytest.mark.fault("F40")
def test_the_users_own_interrupt_is_not_swallowed(write):
    with pytest.raises(KeyboardInterrupt):
        Registry.from_claims([write("busy", "raise KeyboardInterrupt")])


@pytest.mark.fault("F41")
def test_two_distributions_with_one_plugin_name_are_both_refused(write):
    claims = [
        write("same", GOOD),
        write("same", GOOD, distribution="dist-other"),
        write("good", GOOD),
    ]
    registry = Registry.from_claims(claims)
    assert [failure.distribution for failure in registry.failed] == ["dist-same", "dist-other"]
    for failure in registry.failed:
        assert "dist-same" in failure.error
        assert "dist-other" in failure.error
    assert [entry.id for entry in registry.models] == ["good/net"]


@pytest.mark.fault("F42")
@pytest.mark.parametrize(
    ("requirement", "refused"),
    [
        ("intertwiner>=99", True),
        ("intertwiner <0.0.1", True),
        ("intertwiner[viz]>=99", True),
        (f"intertwiner=={__version__}", False),
        ("intertwiner", False),
        ("intertwiner-atoms>=99", False),
        ("intertwiner_atoms>=99", False),
    ],
)
def test_a_plugin_for_another_core_is_refused_with_the_install_line(write, requirement, refused):
    registry = Registry.from_claims([write("old", GOOD, requires=("numpy", requirement))])
    assert bool(registry.failed) == refused
    if refused:
        assert "pip install 'intertwiner" in registry.failed[0].error
        assert __version__ in registry.failed[0].error


def test_an_installed_plugin_is_discovered(command):
    listed = command("list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert "toy/distance-net" in listed.stdout


@pytest.mark.fault("F40")
def test_a_broken_distribution_beside_a_good_one_is_said_and_nothing_else_suffers(
    command, tmp_path: Path
):
    (tmp_path / "broken_plugin.py").write_text("raise SystemExit('no')")
    info = tmp_path / "intertwiner_broken-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.3\nName: intertwiner-broken\nVersion: 0.3\n"
    )
    (info / "entry_points.txt").write_text("[intertwiner]\nbroken = broken_plugin\n")
    listed = command("list", also=tmp_path)
    assert listed.returncode == 0
    assert "toy/distance-net" in listed.stdout
    assert (
        "plugin 'broken' (intertwiner-broken 0.3) left out at import: SystemExit: no"
        in listed.stderr
    )
