"""Every check of the project, each in a fresh environment: `nox -s NAME`, `nox -l` lists them.

Packages are installed as built wheels, never editable, so that what is tested is what ships.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "tests"]

ROOT = Path(__file__).parent
DISTRIBUTIONS = {
    "intertwiner": "packages/intertwiner",
    "intertwiner-atoms": "packages/intertwiner-atoms",
    "intertwiner-atomic-conv": "plugins/atomic-conv",
    "intertwiner-enflow": "plugins/enflow",
    "intertwiner-equivariant-conv": "plugins/equivariant-conv",
    "intertwiner-fedchem": "plugins/fedchem",
    "intertwiner-gauge-mesh": "plugins/gauge-mesh",
    "intertwiner-steerable3d": "plugins/steerable3d",
}
PLUGINS = {name: name.removeprefix("intertwiner-") for name in DISTRIBUTIONS if "-" in name}
SOURCES = [f"{folder}/src" for folder in DISTRIBUTIONS.values()]
TEST_TOOLS = ["pytest", "hypothesis", "ase", "scikit-learn", "triton; sys_platform == 'linux'"]
"""Triton's interpreter runs the GPU kernels on the CPU."""
QUIET_THREADS = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Idle threads sleep: on a machine that does other work, waiting ones steal its time."""
TESTED_EXTRAS = {
    "intertwiner-fedchem": "chem,flower",
    "intertwiner-steerable3d": "proteins",
}
"""What a plugin's tests need beyond the plugin; installed where tests are run."""
SIDE_BY_SIDE = ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile"]
"""One worker a core, a file's tests in one worker, so that what they share is made once."""


def find_links() -> str:
    """The folder of wheels pip is configured with, if any; uv has to be told."""
    chosen = os.environ.get("PIP_FIND_LINKS")
    if chosen is None:
        asked = subprocess.run(
            ["python", "-m", "pip", "config", "get", "global.find-links"],
            capture_output=True,
            text=True,
            check=False,
        )
        chosen = asked.stdout.strip()
    return chosen


def install(session: nox.Session, *packages: str) -> None:
    """Installs under the constraints; torch is the CPU build wherever it comes from."""
    links = find_links()
    environment = {"UV_FIND_LINKS": links} if links else {}
    if not links and session.venv_backend != "uv" and not shutil.which("uv"):
        session.install("uv")
    if links or session.venv_backend == "uv":
        if not links:
            environment["UV_TORCH_BACKEND"] = "cpu"
        session.install("-c", "constraints.txt", *packages, env=environment)
        return
    command = ["uv", "pip", "install", "--torch-backend", "cpu", "-c", "constraints.txt"]
    session.run(
        *command, *packages, external=True, env={"VIRTUAL_ENV": str(session.virtualenv.location)}
    )


def build(session: nox.Session, names: list[str]) -> dict[str, Path]:
    """Builds the wheels of these distributions and returns where they lie."""
    folder = Path(session.create_tmp()).resolve() / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    session.install("build", "hatchling")
    wheels = {}
    for name in names:
        out = folder / name
        source = ROOT / DISTRIBUTIONS[name]
        session.run(
            "python", "-m", "build", "-q", "--wheel", "--no-isolation", "-o", str(out), str(source),
            silent=True,
        )  # fmt: skip
        (wheels[name],) = out.glob("*.whl")
    return wheels


def install_wheels(session: nox.Session, names: list[str], extras: str, *more: str) -> None:
    """Builds and installs distributions together; the core with `extras` such as "viz,check"."""
    wheels = build(session, names)
    chosen = {"intertwiner": extras, **(TESTED_EXTRAS if "check" in extras else {})}
    wanted = [
        f"{name}[{chosen[name]}] @ {path.as_uri()}" if chosen.get(name) else str(path)
        for name, path in wheels.items()
    ]
    install(session, *wanted, *more)
    # A kept environment has this version already, of another state of the sources.
    session.install("--force-reinstall", "--no-deps", *map(str, wheels.values()))


def folders(*names: str, part: str = "tests") -> list[str]:
    found = [f"{DISTRIBUTIONS[name]}/{part}" for name in names]
    return [folder for folder in found if (ROOT / folder).is_dir()]


@nox.session
def demo(session: nox.Session) -> None:
    """Train the first recipe on the embedded molecules, print its table, draw its pictures."""
    install_wheels(session, list(DISTRIBUTIONS), "viz")
    session.run(
        "intertwiner", "reproduce", "equivariant-conv/angular-ablation", "--scale", "small",
        "--out", "demo", *session.posargs, env=QUIET_THREADS,
    )  # fmt: skip


@nox.session
def tests(session: nox.Session) -> None:
    """The whole test suite, all distributions installed together."""
    install_wheels(session, list(DISTRIBUTIONS), "viz,check", *TEST_TOOLS, "pytest-xdist")
    session.run(
        "python", "-m", "pytest", *SIDE_BY_SIDE, *folders(*DISTRIBUTIONS), "integration_tests",
        *session.posargs, env={**QUIET_THREADS, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@nox.session
@nox.parametrize("distribution", list(DISTRIBUTIONS), ids=list(DISTRIBUTIONS))
def alone(session: nox.Session, distribution: str) -> None:
    """One distribution with the core and nothing else: its own tests and the conformance kit."""
    names = list(dict.fromkeys(["intertwiner", distribution]))
    install_wheels(session, names, "check", *TEST_TOOLS)
    session.run("python", "-m", "pytest", *folders(distribution), *session.posargs)
    if distribution in PLUGINS:
        session.run("intertwiner", "check", PLUGINS[distribution])


@nox.session
def together(session: nox.Session) -> None:
    """All distributions in one environment: every plugin passes the kit beside all others."""
    install_wheels(session, list(DISTRIBUTIONS), "viz,check", *TEST_TOOLS)
    session.run("intertwiner", "doctor")
    for plugin in PLUGINS.values():
        session.run("intertwiner", "check", plugin)
    session.run("python", "-m", "pytest", "integration_tests", *session.posargs)


@nox.session
def third_party(session: nox.Session) -> None:
    """The plugin of the documentation and a new skeleton: wheels, their own tests, the kit."""
    install_wheels(session, ["intertwiner"], "check")
    outside = Path(session.create_tmp()).resolve() / "outside"
    shutil.rmtree(outside, ignore_errors=True)
    shutil.copytree(ROOT / "docs" / "third_party_plugin", outside / "tiny-painn")
    parts = ("--model", "--dataset", "--kernel", "--aggregator")
    session.run("intertwiner", "new", "fresh", *parts, "--out", str(outside / "fresh"))
    for plugin, tests in (("tiny-painn", 9), ("fresh", 13)):
        folder = outside / plugin
        session.run("python", "-m", "build", "-q", "--wheel", "--no-isolation", str(folder))
        (wheel,) = (folder / "dist").glob("*.whl")
        session.install("--no-deps", "--force-reinstall", str(wheel))
        session.chdir(folder)
        said = session.run("python", "-m", "pytest", "-q", silent=True)
        session.chdir(ROOT)
        session.log(said)
        if f"{tests} passed" not in str(said):
            session.error(f"{plugin}: expected {tests} tests to pass")
        session.run("intertwiner", "check", plugin)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format, and who may import whom."""
    session.install("-c", "constraints.txt", "ruff", "import-linter")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    paths = os.pathsep.join(str(ROOT / source) for source in SOURCES)
    session.run("lint-imports", env={"PYTHONPATH": paths})


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict, over all sources."""
    sources = [f"./{folder}" for folder in DISTRIBUTIONS.values()]
    install(session, *sources, "mypy", "pytest", "types-PyYAML")
    session.run("mypy", *SOURCES)


@nox.session
def wheels(session: nox.Session) -> None:
    """Build every distribution's wheel into dist/."""
    for name, path in build(session, list(DISTRIBUTIONS)).items():
        target = ROOT / "dist" / path.name
        target.parent.mkdir(exist_ok=True)
        shutil.copy2(path, target)
        session.log(f"{name}: dist/{path.name}, {path.stat().st_size / 1e6:.2f} MB")


@nox.session
def docs(session: nox.Session) -> None:
    """The site, warnings are errors: docs/_build/html/index.html."""
    install_wheels(session, list(DISTRIBUTIONS), "", "sphinx", "myst-parser", "furo")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session
def bench(session: nox.Session) -> None:
    """Every benchmark, as a page; `-- NAME --threads 1 2 --json --out docs/results.md`."""
    install_wheels(session, list(DISTRIBUTIONS), "")
    session.run("python", "docs/results.py", *session.posargs, env=QUIET_THREADS)
