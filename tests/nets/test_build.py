"""Networks judge a place by what lies around it, wherever the tile was cut."""

import pytest
import torch
from torch import Tensor

from qc.config.train import NetworkSettings
from qc.errors import SettingsError
from qc.nets.build import Network, build

SHIFT_PX = 32
REACH_PX = 224
"""Furthest that an untrained network of the default encoder looks; trained ones look less far in practice."""


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.randint(60, 255, (1, height, width, 3), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


@pytest.fixture(scope="module")
def network() -> Network:
    """Untrained, with statistics of noise, so that every layer takes part."""
    network = build(NetworkSettings(), 7, seed=3)
    with torch.no_grad():
        for seed in range(8):
            network(noise(96, 96, seed))
    return network.eval()


def margin_px(network: Network, side_px: int, tolerance: float) -> int:
    """Width of the frame in which two crops of one picture, a shift apart, differ by more than `tolerance`."""
    rgb = noise(side_px + SHIFT_PX, side_px + SHIFT_PX)
    with torch.inference_mode():
        here, there = (network(crop).softmax(dim=1)[0] for crop in (rgb[:, :side_px, :side_px], rgb[:, 32:, 32:]))
    cells = SHIFT_PX // network.stride
    differs = (here[:, cells:, cells:] - there[:, :-cells, :-cells]).abs().amax(dim=0) > tolerance
    places = differs.nonzero()
    from_edge = torch.minimum(places, len(differs) - 1 - places).amin(dim=1)
    return int(from_edge.max() + 1) * network.stride if len(places) else 0


@pytest.mark.parametrize(("upsampling", "stride"), [(1, 4), (2, 2), (4, 1)])
def test_the_output_is_as_coarse_as_it_says(upsampling: int, stride: int) -> None:
    network = build(NetworkSettings(upsampling=upsampling), 5).eval()

    with torch.inference_mode():
        logits = network(noise(64, 96))

    assert network.stride == stride
    assert logits.shape == (1, 5, 64 // stride, 96 // stride)
    assert logits.dtype == torch.float32


def test_equal_seeds_give_equal_weights_whatever_was_drawn_before() -> None:
    first = build(NetworkSettings(), 7, seed=1).state_dict()
    torch.rand(5)
    before = torch.get_rng_state()

    again, other = (build(NetworkSettings(), 7, seed=seed).state_dict() for seed in (1, 2))

    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["body.segmentation_head.0.weight"], other["body.segmentation_head.0.weight"])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("upsampling", [1, 4])
def test_a_place_is_judged_alike_in_the_middle_of_any_tile(network: Network, upsampling: int) -> None:
    finer = Network(NetworkSettings(upsampling=upsampling), 7)
    finer.load_state_dict(network.state_dict())

    assert margin_px(finer.eval(), 2 * REACH_PX, 1e-5) <= REACH_PX


def test_a_place_far_away_changes_nothing(network: Network) -> None:
    rgb = noise(2 * REACH_PX, 64)
    changed = rgb.clone()
    changed[:, REACH_PX + 96 :] = 0

    with torch.inference_mode():
        before, after = network(rgb)[0], network(changed)[0]

    assert torch.equal(before[:, : 96 // 4], after[:, : 96 // 4])
    assert not torch.equal(before[:, (REACH_PX + 64) // 4], after[:, (REACH_PX + 64) // 4])


def test_the_size_of_a_tile_changes_nothing_in_its_middle(network: Network) -> None:
    rgb = noise(640, 576)

    with torch.inference_mode():
        large, small = network(rgb)[0], network(rgb[:, 64:576, 64:512])[0]

    assert torch.allclose(large[:, 72:88, 72:80], small[:, 56:72, 56:64], atol=1e-4)


@pytest.mark.parametrize(
    "encoder", ["tu-mobilenetv3_small_050", "tu-test_efficientnet", "tu-convnextv2_atto", "mit_b0"]
)
def test_encoders_that_see_a_tile_as_a_whole_are_refused(encoder: str) -> None:
    with pytest.raises(SettingsError, match=rf"^encoder {encoder} looks at tiles as a whole \([\w.]+\), which would"):
        build(NetworkSettings(encoder=encoder), 7)


@pytest.mark.parametrize("encoder", ["nonsense", "tu-nonsense", "tu-test_vit"])
def test_an_unknown_encoder_is_refused_in_one_sentence(encoder: str) -> None:
    with pytest.raises(SettingsError, match=rf"^encoder {encoder} cannot be built") as caught:
        build(NetworkSettings(encoder=encoder), 7)

    assert len(str(caught.value)) < 200
