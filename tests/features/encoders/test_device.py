import pytest
import torch

from gensr.estimator.errors import EncoderError
from gensr.features.encoders.device import exact_inference, pick_device


def test_auto_takes_a_gpu_where_there_is_one():
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert pick_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["gpu", "", "meta", "cuda:x"])
def test_a_name_that_is_no_device(name):
    with pytest.raises(EncoderError, match="pass auto, cpu"):
        pick_device(name)


def test_exact_inference_forbids_tf32_and_puts_the_settings_back():
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    with exact_inference():
        assert torch.is_inference_mode_enabled()
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32
        assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.deterministic
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32) == before


def test_running_out_of_memory_comes_with_advice():
    with pytest.raises(EncoderError, match="make the batches smaller"), exact_inference():
        raise torch.OutOfMemoryError("CUDA out of memory")
