"""What runs on the user's machine says what the trained network says."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from qc.nets.session import Session
from qc.nets.weights import load


@pytest.fixture(scope="module")
def running(network_folder: Path) -> Session:
    return Session(network_folder)


def picture(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng([height, width]).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize(("height", "width"), [(256, 256), (32, 96), (37, 101), (130, 33), (5, 7), (1, 64)])
def test_torch_and_onnx_runtime_agree_on_images_of_any_size(
    running: Session, network_folder: Path, height: int, width: int
) -> None:
    rgb = picture(height, width)
    padded = cv2.copyMakeBorder(rgb, 0, -height % 32, 0, -width % 32, cv2.BORDER_REFLECT_101)

    found = running.probabilities(rgb)

    with torch.inference_mode():
        expected = load(network_folder)[0](torch.from_numpy(padded)[None])[0].numpy()
    rows, columns = -(-height // 4), -(-width // 4)
    assert found.shape == (7, rows, columns)
    np.testing.assert_allclose(found, expected[:, :rows, :columns], atol=1e-4)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)


def test_the_temperature_and_the_prior_are_in_the_graph(running: Session, network_folder: Path) -> None:
    rgb = picture(64, 64)
    model, card = load(network_folder)

    with torch.inference_mode():
        logits = model.network(torch.from_numpy(rgb)[None])[0].numpy()

    corrected = logits / card.temperature + np.array(list(card.prior.values()), np.float32)[:, None, None]
    expected = np.exp(corrected - corrected.max(axis=0)) / np.exp(corrected - corrected.max(axis=0)).sum(axis=0)
    np.testing.assert_allclose(running.probabilities(rgb), expected, atol=1e-4)
    assert card.temperature != 1


def test_a_picture_that_is_not_contiguous_is_read_right(running: Session) -> None:
    rgb = picture(96, 128)

    turned = running.probabilities(rgb[::-1, ::-1])

    np.testing.assert_array_equal(turned, running.probabilities(rgb[::-1, ::-1].copy()))
