"""Networks on a GPU, by torch. In: a network's folder. Out: a function from pixels to probabilities."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from qc.errors import WeightsError
from qc.nets.eager import eager
from qc.nets.image import Rgb, on_any_size
from qc.nets.weights import load

CUDA = "cuda"


def is_usable() -> bool:
    """True when torch can compute on a GPU of this machine."""
    return torch.cuda.is_available()


def open_weights(folder: Path, device: str = CUDA) -> Callable[[Rgb], NDArray[np.float32]]:
    """Weights as a function, see `qc.nets.session.Session.probabilities`. Numbers keep 32 bits.

    Args:
        folder: The network.
        device: As torch names it.

    Raises:
        WeightsError: If the network is not there or damaged, or torch cannot use the device.
    """
    model, _ = load(folder)
    if device == CUDA and not is_usable():
        raise WeightsError("torch finds no GPU on this machine", 'set device = "cpu" or "auto" under [artefact]')
    torch.backends.cudnn.allow_tf32 = False
    return on_any_size(eager(model, device))
