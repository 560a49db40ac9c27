from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from qc.errors import WeightsError
from qc.nets.pretrained import load_encoder


def saved(path: Path, classes: int) -> dict[str, torch.Tensor]:
    state = timm.create_model("test_resnet", pretrained=False, num_classes=classes).state_dict()
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return state


@pytest.mark.parametrize("name", ["first.safetensors", "first.pt"])
def test_an_encoder_takes_the_weights_of_a_file_though_its_last_layer_has_other_classes(
    name: str, tmp_path: Path
) -> None:
    given = saved(tmp_path / name, classes=1000)
    encoder = timm.create_model("test_resnet", pretrained=False, num_classes=2)
    last = encoder.state_dict()["fc.weight"].clone()

    load_encoder(encoder, tmp_path / name, "test_resnet", without=("fc.",))

    now = encoder.state_dict()
    assert all(torch.equal(now[key], one) for key, one in given.items() if not key.startswith("fc."))
    assert torch.equal(now["fc.weight"], last)


def test_weights_of_another_encoder_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    saved(tmp_path / "first.safetensors", classes=2)

    with pytest.raises(WeightsError, match=r"does not hold the weights of encoder resnet18 \(\d+ of \d+ are missing"):
        load_encoder(timm.create_model("resnet18", pretrained=False), tmp_path / "first.safetensors", "resnet18")


@pytest.mark.parametrize("name", ["broken.safetensors", "broken.pt", "none.pt"])
def test_what_is_not_weights_is_refused(name: str, tmp_path: Path) -> None:
    if name != "none.pt":
        (tmp_path / name).write_bytes(b"not weights")

    with pytest.raises(WeightsError, match="cannot be read as weights"):
        load_encoder(timm.create_model("test_resnet", pretrained=False), tmp_path / name, "test_resnet")
