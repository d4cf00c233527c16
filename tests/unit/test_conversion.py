"""A base's file is read once for all that transformers opens it for, as plain arrays."""

import gguf
import numpy as np
import pytest

from engine import conversion


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "base.gguf"
    writer = gguf.GGUFWriter(made, "llama")
    writer.add_token_list([f"word{n}" for n in range(300)])
    writer.add_tensor("output.weight", np.arange(12, dtype=np.float32).reshape(3, 4))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return str(made)


def test_the_same_fields_and_weights_from_one_reading(file):
    usual = gguf.GGUFReader(file)
    with conversion._read_once():
        ours = gguf.GGUFReader(file)
        assert gguf.GGUFReader(file) is ours
    assert type(ours.data) is np.ndarray and isinstance(usual.data, np.memmap)
    assert ours.fields.keys() == usual.fields.keys()
    for name, field in usual.fields.items():
        assert ours.fields[name].contents() == field.contents()
    (mine,), (theirs,) = ours.tensors, usual.tensors
    assert mine.name == theirs.name and np.array_equal(mine.data, theirs.data)


def test_an_error_leaves_the_library_as_it_was(file):
    usual = gguf.GGUFReader
    with pytest.raises(ValueError, match="spoilt"), conversion._read_once():
        raise ValueError("spoilt")
    assert gguf.GGUFReader is usual
