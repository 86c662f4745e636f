"""The kit passes a sound model, and names the check that each kind of lie fails."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from conformance_toys.checking import cases_of, failures
from conformance_toys.honest import intertwiner_models

from intertwiner.conformance.checks.gradients import training_loss
from intertwiner.conformance.checks.models import MODEL_CHECKS
from intertwiner.conformance.checks.numerics import follow
from intertwiner.conformance.compare import compare
from intertwiner.conformance.run import run, run_case
from intertwiner.conformance.schemas import doubled, schemas_for
from intertwiner.conformance.subject import Subject
from intertwiner.fields import ANY_NAME, GRAPH, NODE, Field, Irreps, Scalar, Structure, Symmetry

(HONEST,) = intertwiner_models()
SCALAR = Field(ANY_NAME, GRAPH, Scalar())
VECTOR = Field(ANY_NAME, GRAPH, Irreps("1o"))


def lying(fault: str, output: Field = SCALAR, **changes):
    tiny = {"channels": 4, "fault": fault}
    target = "conformance_toys.model:Liar"
    return replace(HONEST, target=target, outputs=(output,), tiny=tiny, **changes)


def test_a_sound_model_passes_every_check_for_every_kind_of_output(toys):
    result = run("honest", toys)
    assert result.well
    assert result.count("failed") == 0
    assert result.count("passed") >= 4 * (len(MODEL_CHECKS) - 2)


LIES = [
    ("x coordinate", SCALAR, {"rotation", "reflection", "translation"}),
    ("norm ordered", VECTOR, {"rotation", "reflection"}),
    ("constant", SCALAR, {"reaction", "gradients"}),
    ("zero", SCALAR, {"outputs"}),
    ("batch mates", SCALAR, {"batching", "translation"}),
    ("node order", SCALAR, {"permutation"}),
    ("float32 inside", SCALAR, {"precision"}),
    ("float32 in between", SCALAR, {"precision"}),
    ("singular", SCALAR, {"degenerate records"}),
    ("unit vector", VECTOR, {"outputs"}),
    ("call counter", SCALAR, {"determinism"}),
    ("noise", SCALAR, {"determinism"}),
    ("unsaved state", SCALAR, {"checkpoint"}),
    ("unsaved preparation", SCALAR, {"checkpoint"}),
    ("dead parameter", SCALAR, {"gradients"}),
    ("crash", SCALAR, {"outputs"}),
    ("wrong shape", SCALAR, {"outputs"}),
]


@pytest.mark.parametrize(("fault", "output", "expected"), LIES, ids=[lie[0] for lie in LIES])
def test_every_lie_fails_the_check_that_is_about_it(fault, output, expected):
    failed = failures(lying(fault, output))
    assert expected <= set(failed), failed


@pytest.mark.parametrize("fault", ["batch mates", "node order", "dead parameter", "unsaved state"])
def test_a_lie_about_one_thing_leaves_the_rotations_alone(fault):
    assert "rotation" not in failures(lying(fault))


@pytest.mark.fault("F44")
def test_a_third_partys_lie_about_its_symmetry_is_named_with_field_and_both_sizes(toys):
    result = run("liar", toys)
    assert not result.well
    rows = [row for row in result.to_json()["failures"] if row["check"].startswith("translation")]
    (row,) = rows
    assert row["item"] == "liar/biased"
    assert row["field"] == "target"
    assert row["error"] > row["allowed"] > 0
    assert row["size"] > 0
    for number in (row["error"], row["size"], row["allowed"]):
        assert f"{number:.3g}" in row["message"]


def test_a_left_handed_model_may_claim_rotations_and_not_reflections():
    spec = replace(HONEST, target="conformance_toys.model:left_handed", outputs=(SCALAR,))
    assert set(failures(spec)) == {"reflection"}
    assert failures(replace(spec, symmetry=Symmetry(space="SE(3)"))) == {}


def test_a_vector_of_the_wrong_parity_fails_under_reflections_alone():
    spec = replace(HONEST, outputs=(Field(ANY_NAME, GRAPH, Irreps("1e")),))
    assert set(failures(spec)) == {"reflection"}


def test_a_model_that_claims_no_symmetry_is_not_asked_for_any():
    checks = {case.check for case in cases_of(lying("x coordinate", symmetry=None))}
    assert not any(check.startswith(("rotation", "permutation")) for check in checks)
    assert failures(lying("x coordinate", symmetry=None)).keys() == set()


def test_an_input_that_is_declared_and_not_read_is_found():
    charge = Field("charge", GRAPH, Scalar(), "e")
    failed = failures(replace(HONEST, inputs=(*HONEST.inputs, charge), outputs=(SCALAR,)))
    assert set(failed) == {"reaction"}
    assert "'charge'" in failed["reaction"]


def test_a_crash_is_told_in_one_line_with_the_plugins_own_line():
    message = failures(lying("crash"))["outputs"]
    assert "RuntimeError: matrix is not positive definite" in message
    assert "model.py:" in message
    assert "\n" not in message


def test_checks_after_a_failed_first_one_are_skipped_and_say_so():
    outcomes = [run_case(case) for case in cases_of(lying("crash"))]
    assert sum(outcome.status == "failed" for outcome in outcomes) == 1
    reasons = {outcome.reason for outcome in outcomes if outcome.status == "skipped"}
    assert reasons == {"not run, because the check 'outputs' of these targets failed"}


def test_a_missing_output_names_those_that_were_given():
    spec = replace(HONEST, target="conformance_toys.model:tensor_only", outputs=(SCALAR,))
    assert "gave a Tensor, not a dictionary" in failures(spec)["outputs"]


def test_a_target_that_builds_no_module_is_named():
    spec = replace(HONEST, target="conformance_toys.model:not_a_module", outputs=(SCALAR,))
    assert "conformance_toys.model:not_a_module gave a function" in failures(spec)["outputs"]


def test_a_model_may_refuse_a_record_with_a_clear_error_only_where_distances_vanish():
    assert "one atom: this model needs two" in failures(lying("refuses lone atoms"))["batching"]


def test_every_check_with_a_twin_rejects_it():
    (schema,) = schemas_for(replace(HONEST, outputs=(VECTOR,)), (1, 6, 7, 8))
    subject = Subject.of(HONEST, schema)
    for check in MODEL_CHECKS:
        elsewhere = check.structures or check.gauge or check.grid
        if check.twin is not None and not elsewhere:
            assert check.run(subject) == []
            assert check.run(subject.broken(check.twin, 1e-6)), check.name


def test_a_check_that_cannot_fail_is_itself_a_failure():
    (schema,) = schemas_for(replace(HONEST, outputs=(SCALAR,)), (1, 6, 7, 8))
    (check,) = (check for check in MODEL_CHECKS if check.name == "checkpoint")
    vacuous = replace(check, run=lambda subject: [])
    (finding,) = vacuous(Subject.of(HONEST, schema))
    assert "cannot fail" in finding.what


def test_parameters_that_start_at_zero_are_moved():
    (schema,) = schemas_for(replace(HONEST, outputs=(SCALAR,)), (1, 6, 7, 8))
    subject = Subject.of(HONEST, schema)
    assert not subject.bare(torch.float32).heads["target"].weight.any()
    assert subject.fresh(torch.float32).heads["target"].weight.abs().min() > 0


def test_buffers_stay_where_they_are():
    (schema,) = schemas_for(replace(HONEST, outputs=(SCALAR,)), (1, 6, 7, 8))
    module = Subject.of(HONEST, schema).fresh(torch.float32)
    assert module.species.tolist() == [1, 6, 7, 8]


def test_building_a_subject_leaves_the_default_dtype_and_the_random_state():
    (schema,) = schemas_for(replace(HONEST, outputs=(SCALAR,)), (1, 6, 7, 8))
    state = torch.random.get_rng_state()
    Subject.of(HONEST, schema).fresh(torch.float64)
    assert torch.get_default_dtype() == torch.float32
    assert torch.equal(state, torch.random.get_rng_state())


def test_each_kind_of_output_is_asked_for_alone_and_all_together():
    names = [[t.name for t in schema.targets] for schema in schemas_for(HONEST, (1,))]
    assert names == [["target"], ["target"], ["energy", "forces"], ["energy", "target_1", "forces"]]


def test_twice_the_channels_are_asked_of_open_names_only():
    schema = schemas_for(HONEST, (1,))[-1]
    widths = [target.rep.width for target in doubled(schema, HONEST).targets]
    assert widths == [1, 6, 3]


def test_outputs_follow_the_device():
    (schema,) = schemas_for(replace(HONEST, outputs=(VECTOR,)), (1, 6, 7, 8))
    assert follow(Subject.of(HONEST, schema), torch.device("cpu")) == []
    if torch.cuda.is_available():
        assert follow(Subject.of(HONEST, schema), torch.device("cuda")) == []


def test_a_training_loss_of_the_models_own_may_be_sound():
    spec = replace(lying("plain"), target="conformance_toys.model:with_loss")
    assert failures(spec) == {}


@pytest.mark.parametrize("fault", ["several", "nan", "detached", "steep"])
def test_a_training_loss_that_cannot_be_learned_from_is_found(fault):
    spec = replace(lying(fault), target="conformance_toys.model:with_loss")
    (schema,) = schemas_for(spec, (1, 6, 7, 8))
    assert training_loss(Subject.of(spec, schema))


def test_a_result_that_is_nan_on_both_sides_is_not_agreement():
    (schema,) = schemas_for(replace(HONEST, outputs=(SCALAR,)), (1, 6, 7, 8))
    subject = Subject.of(HONEST, schema)
    nan = {"target": torch.full((7,), torch.nan)}
    assert compare(subject, subject.records(), nan, nan, 1.0, "nothing was done", "")


def test_more_channels_may_be_refused_in_clear_words_and_not_ignored():
    spec = replace(HONEST, outputs=(SCALAR,))
    assert failures(replace(spec, target="conformance_toys.model:narrow")) == {}
    failed = failures(replace(spec, target="conformance_toys.model:always_narrow"))
    assert set(failed) == {"channels"}
    assert "shape (7,), a 2 scalars per graph is (7, 2)" in failed["channels"]


def test_a_structure_without_a_kit_is_skipped_with_the_reason():
    spec = replace(HONEST, reads=Structure.FILE)
    skipped = [run_case(case) for case in cases_of(spec)]
    assert any("no conformance kit is written for file" in outcome.reason for outcome in skipped)


def test_a_field_that_cannot_be_made_is_skipped_with_the_reason():
    spec = replace(HONEST, inputs=(*HONEST.inputs, Field("bond", "edge", Scalar())))
    outcomes = [run_case(case) for case in cases_of(spec)]
    assert any("no 'edge' items; it has graph, node" in outcome.reason for outcome in outcomes)


def test_node_targets_are_followed_through_a_renumbering():
    spec = replace(HONEST, outputs=(Field(ANY_NAME, NODE, Irreps("1o")),))
    assert failures(spec) == {}
