"""The command line: exit codes, JSON and nothing else, and one line for every mistake."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys

import pytest

from intertwiner.cli import VERBS


@pytest.fixture(scope="module")
def trained(tmp_path_factory, toy_environment_of):
    """A small run of the toy model."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    verb = ["train", "distance-net", "pairs", "--json"]
    settings = ["--training.epochs", "2", "--training.accelerator", "cpu"]
    done = subprocess.run(
        [sys.executable, "-m", "intertwiner", *verb, "--out", str(folder), *settings],
        env=toy_environment_of(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return folder, done


def reported(done: subprocess.CompletedProcess[str]):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_help_names_every_verb(command):
    done = command("--help")
    assert done.returncode == 0
    for verb in VERBS:
        assert f"\n  {verb} " in done.stdout
    assert command().returncode == 2


def test_an_unknown_verb_gets_the_nearest(command):
    done = command("trian")
    assert done.returncode == 2
    assert done.stderr == "error: no verb 'trian'; did you mean 'train'?\n"


def test_list_json_has_the_promised_form(command):
    listed = reported(command("list", "--json"))
    assert set(listed) == {
        "models", "datasets", "aggregators", "kernels", "adapters", "recipes", "failed",
    }  # fmt: skip
    model = next(item for item in listed["models"] if item["id"] == "toy/distance-net")
    keys = {"id", "plugin", "version", "summary", "reads", "tasks", "symmetry"}
    assert set(model) == keys
    assert listed["failed"] == []


def test_list_and_match_import_no_torch(toy_environment_of):
    start = "import sys; from intertwiner.cli import run"
    for verb in ("['list', '--json']", "['match']", "['list', 'models']"):
        code = f"{start}; run({verb}); sys.exit('torch' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", code], env=toy_environment_of(), capture_output=True, timeout=60
        )
        assert done.returncode == 0, verb


def cpu_seconds(environment, *arguments: str) -> float:
    """Median CPU time of a child Python, of five."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, *arguments]
        subprocess.run(command, env=environment, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(times)


def test_listing_costs_at_most_twenty_times_an_empty_python(toy_environment_of):
    """CPU time against CPU time in the same minute: a ratio, not a clock."""
    environment = toy_environment_of()
    empty = cpu_seconds(environment, "-c", "pass")
    assert cpu_seconds(environment, "-m", "intertwiner", "list", "--json") <= 20 * empty


def test_show_says_everything_about_an_item(command):
    shown = reported(command("show", "distance-net", "--json"))
    assert shown["id"] == "toy/distance-net"
    assert shown["settings"][0]["name"] == "channels"
    assert [setting["type"] for setting in shown["settings"]] == ["int, >= 1", "float, >= 0, < 1"]
    missing = command("show", "distance-nett")
    assert missing.returncode == 2
    assert "did you mean" in missing.stderr


def test_match_says_whether_and_why_not(command):
    pair = reported(command("match", "distance-net", "pairs", "--json"))["pairs"][0]
    assert pair["runs"]
    assert pair["targets"] == ["extent"]


def test_train_reports_and_leaves_a_whole_run_folder(trained):
    folder, done = trained
    report = json.loads(done.stdout)
    assert report["finished"]
    assert report["epochs"] == 2
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "config.yaml", "versions.json", "metrics.csv", "model.safetensors", "model.json",
        "training_state.safetensors",
    }  # fmt: skip
    assert "epoch 2/2" in done.stderr


def test_a_runs_own_settings_file_repeats_it(trained, command, tmp_path):
    folder, _ = trained
    done = command(
        "train", "distance-net", "pairs", "--config", folder / "config.yaml",
        "--out", tmp_path / "again", "--quiet",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again" / "config.yaml").read_text() == (folder / "config.yaml").read_text()
    weights = "model.safetensors"
    assert (tmp_path / "again" / weights).read_bytes() == (folder / weights).read_bytes()


@pytest.mark.fault("F14")
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--training.epoch", "3"), "training.epoch: no such setting; did you mean 'epochs'?"),
        (("--training.epochs", "0"), "training.epochs: Input should be greater than or equal to 1"),
        (("--model.channels", "wide"), "model.channels: Input should be a valid integer"),
        (("--data.split", "rnadom"), "data.split: no split 'rnadom'; did you mean 'random'?"),
        (("--data.targets", "[sise]"), "data.targets: toy/distance-net cannot learn 'sise'"),
        (("--epochs", "3"), "--epochs: no such option"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_two(command, tmp_path, flags, message):
    done = command("train", "distance-net", "pairs", "--out", tmp_path / "run", *flags)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not (tmp_path / "run").exists()


def test_evaluate_gives_figures_units_and_controls(trained, command):
    report = reported(command("evaluate", trained[0], "--json"))
    assert report["metrics"][0]["name"] == "extent/mae"
    assert report["metrics"][0]["unit"] == "angstrom^2"
    assert report["metrics"][0]["error"] > 0
    assert report["controls"]


def test_predict_reads_the_users_own_file(trained, command, tmp_path):
    path = tmp_path / "mine.points"
    path.write_text("0 0 0\n1 0 0\n")
    report = reported(command("predict", trained[0], path, "--json"))
    assert report["units"] == {"extent": "angstrom^2"}
    assert isinstance(report["predictions"][0]["values"]["extent"], float)
    table = command("predict", trained[0], path, path, "--out", tmp_path / "out.csv")
    assert table.returncode == 0
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "file,record,extent [angstrom^2]"
    assert len(lines) == 3


def test_predict_refuses_settings_of_a_reader_it_does_not_call(trained, command, tmp_path):
    done = command("predict", trained[0], tmp_path / "mine.abc", "--reader.waters", "drop")
    assert "settings for --protein and --ligand, which are not given" in done.stderr
    done = command("predict", trained[0], "--waters", "drop")
    assert "--waters: no such option" in done.stderr


def test_predict_names_a_file_nobody_reads(trained, command, tmp_path):
    done = command("predict", trained[0], tmp_path / "mine.abc")
    assert done.returncode == 1
    assert "no installed plugin reads .abc files as atoms" in done.stderr
    assert ".points" in done.stderr


def test_sample_writes_as_many_as_asked_for_and_says_so(command, tmp_path):
    run = tmp_path / "run"
    settings = ("--training.epochs", 2, "--training.learning_rate", 0.1)
    trained = reported(command("train", "gaussian", "flat", *settings, "--out", run, "--json"))
    assert trained["selected_by"] == "validation/nll [nats]"
    report = reported(command("sample", run, "--n", 5, "--batch", 2, "--json"))
    assert (report["samples"], report["seed"]) == (5, 0)
    text = (run / "samples.xyz").read_text()
    assert text.count("log_prob=") == 5
    assert report["out"] == str(run / "samples.xyz")
    again = command("sample", run, "--n", 5, "--batch", 2, "--out", tmp_path / "again.xyz")
    assert (tmp_path / "again.xyz").read_text() == text
    assert "5 samples in" in again.stdout
    assert "sampling: 4/5" in again.stderr
    evaluated = reported(command("evaluate", run, "--json"))
    assert [m["unit"] for m in evaluated["metrics"]] == ["nats", "1"]


def test_sample_of_a_model_that_cannot_and_into_a_file_that_is_not_written(trained, command):
    refused = command("sample", trained[0], "--n", 3)
    assert refused.returncode == 2
    assert "toy/distance-net cannot sample" in refused.stderr
    refused = command("sample", trained[0], "--n", 3, "--out", "samples.pdf")
    assert "cannot write '.pdf'" in refused.stderr


def test_federate_leaves_a_run_that_evaluate_opens(command, tmp_path):
    run = tmp_path / "run"
    words = ("federate", "distance-net", "pairs", "--aggregator", "mean", "--out", run)
    sizes = ("--clients", 3, "--rounds", 2, "--federation.partition", "dirichlet")
    report = reported(command(*words, *sizes, "--json"))
    assert (report["finished"], report["rounds"]) == (True, 2)
    assert sum(report["clients"].values()) == 48
    assert report["problems"] == []
    assert (run / "rounds.json").exists()
    assert reported(command("evaluate", run, "--json"))["metrics"]
    refused = command(*words, *sizes)
    assert refused.returncode == 1
    assert "--resume" in refused.stderr
    done = command(*words, *sizes, "--resume", "--quiet")
    assert "client-0" in done.stdout


@pytest.mark.fault("F14")
def test_federate_names_what_is_unknown(command, tmp_path):
    words = ("federate", "distance-net", "pairs", "--out", tmp_path / "run")
    refused = command(*words, "--aggregator", "meen")
    assert refused.returncode == 2
    assert "did you mean 'mean'" in refused.stderr
    refused = command(*words, "--aggregator", "mean", "--federation.alfa", 1)
    assert "federation.alfa: no such setting; did you mean 'alpha'" in refused.stderr
    refused = command(*words, "--aggregator", "mean", "--clients", 0)
    assert "federation.clients" in refused.stderr


def test_reproduce_prints_its_figures(command, tmp_path):
    report = reported(command("reproduce", "widths", "--out", tmp_path / "r", "--json", "--quiet"))
    assert report["recipe"] == "toy/widths"
    figure = report["figures"][0]
    assert set(figure) == {
        "name", "value", "spread", "seeds", "unit", "published", "source", "required",
    }  # fmt: skip
    assert figure["source"] == "nowhere"
    assert (tmp_path / "r" / "report.html").exists()


def test_doctor_and_kernels_and_data_report_in_json(command, tmp_path):
    doctor = reported(command("doctor", "--json", INTERTWINER_DATA=str(tmp_path)))
    assert "intertwiner" in doctor["versions"]
    assert doctor["cache"] == {"folder": str(tmp_path)}
    kernels = reported(command("kernels", "verify", "--json"))
    assert all(row["holds"] is not False for row in kernels["rows"])
    data = reported(command("data", "list", "--json", INTERTWINER_DATA=str(tmp_path)))
    assert any(row["id"] == "toy/pairs" for row in data["rows"])


def test_check_is_green_for_the_toy_plugin_and_red_for_none(command):
    report = reported(command("check", "toy", "--json"))
    assert report["plugin"] == "toy"
    assert report["passed"] > 20
    assert report["failed"] == 0
    assert report["failures"] == []
    missing = command("check", "toys")
    assert missing.returncode == 2
    assert "did you mean 'toy'" in missing.stderr
