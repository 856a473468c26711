import pytest
import torch

from gensr.estimator.device import pick_device
from gensr.estimator.errors import ConfigError


def test_auto_takes_a_gpu_where_there_is_one() -> None:
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert pick_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["gpu", "", "meta", "cuda:x"])
def test_a_name_that_is_no_device(name: str) -> None:
    with pytest.raises(ConfigError, match="pass auto, cpu"):
        pick_device(name)
