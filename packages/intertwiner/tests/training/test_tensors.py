"""A file of tensors gives back every bit, or says that it cannot."""

from __future__ import annotations

import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intertwiner.errors import RunError
from intertwiner.training.tensors import load_tensors, save_tensors

DTYPES = [torch.float32, torch.float64, torch.int64, torch.bool, torch.bfloat16, torch.uint8]


@given(
    st.dictionaries(
        st.text("abc./", min_size=1, max_size=5),
        st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 3), max_size=3)),
        max_size=4,
    )
)
def test_tensors_and_record_come_back_bit_by_bit(tmp_path_factory, kinds):
    path = tmp_path_factory.mktemp("t") / "x.safetensors"
    tensors = {name: torch.ones(shape).to(dtype) for name, (dtype, shape) in kinds.items()}
    save_tensors(path, tensors, {"format": 1, "nested": {"a": [1, None]}})
    loaded, record = load_tensors(path)
    assert record == {"format": 1, "nested": {"a": [1, None]}}
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "model.safetensors"
    save_tensors(path, {"w": torch.randn(20), "b": torch.arange(3)}, {"format": 1})
    return path


def test_loaded_tensors_do_not_change_when_the_file_is_replaced(stored):
    before, _ = load_tensors(stored)
    kept = before["w"].clone()
    save_tensors(stored, {"w": torch.zeros(20), "b": torch.zeros(3).long()}, {"format": 1})
    assert torch.equal(before["w"], kept)


@pytest.mark.fault("F03")
def test_every_single_flipped_bit_is_found(stored):
    whole = stored.read_bytes()
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 1 << (position % 8)
        stored.write_bytes(bytes(changed))
        with pytest.raises(RunError, match=r"model\.safetensors"):
            load_tensors(stored)


@pytest.mark.fault("F03")
def test_a_flipped_bit_in_a_weight_names_both_digests(stored):
    whole = bytearray(stored.read_bytes())
    whole[-1] ^= 1
    stored.write_bytes(bytes(whole))
    with pytest.raises(
        RunError, match="content has SHA-256 [0-9a-f]{64}.*written with [0-9a-f]{64}"
    ):
        load_tensors(stored)


@pytest.mark.fault("F04")
def test_truncated_empty_missing_and_folder_are_each_named(stored, tmp_path):
    whole = stored.read_bytes()
    for length in (0, 1, 7, 8, 100, len(whole) - 1):
        stored.write_bytes(whole[:length])
        with pytest.raises(RunError, match=r"model\.safetensors"):
            load_tensors(stored)
    with pytest.raises(RunError, match="a folder"):
        load_tensors(tmp_path)
    with pytest.raises(RunError, match="cannot be read"):
        load_tensors(tmp_path / "none")


def test_a_file_whose_length_looks_like_the_start_of_a_pickle_loads(tmp_path):
    """The first bytes of safetensors are the length of its header: 896 reads 80 03."""
    path = tmp_path / "model.safetensors"
    starts = set()
    for padding in range(300, 800):
        save_tensors(path, {"w": torch.ones(1)}, {"padding": "x" * padding})
        starts.add(path.read_bytes()[:2])
        load_tensors(path)
    assert {b"\x80\x02", b"\x80\x03"} <= starts


class _Bomb:
    def __reduce__(self):
        return (open, ("executed", "w"))


@pytest.mark.fault("F05")
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_refused_and_nothing_runs(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(_Bomb(), protocol=protocol))
    with pytest.raises(RunError, match="pickle.*refused"):
        load_tensors(path)
    torch.save({"bomb": _Bomb()}, path)
    with pytest.raises(RunError, match="pickle.*refused"):
        load_tensors(path)
    assert not (tmp_path / "executed").exists()
