"""A network run by torch. In: a module. Out: the same from pixels to numbers as `qc.nets.session.open_graph`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from qc.nets.image import Rgb, padded


def eager(model: nn.Module, device: str = "cpu") -> Callable[[Rgb], NDArray[np.float32]]:
    """A module in evaluation mode as a function of (H, W, 3) uint8; what padding adds stays on.

    Args:
        model: Moved to the device.
        device: As torch names it.
    """
    model = model.to(device)

    def run(rgb: Rgb) -> NDArray[np.float32]:
        with torch.inference_mode():
            return model(torch.from_numpy(padded(rgb))[None].to(device))[0].float().cpu().numpy()

    return run


def parameter_count(model: nn.Module) -> int:
    """How many numbers are trained."""
    return sum(one.numel() for one in model.parameters())


@contextmanager
def one_thread_each() -> Iterator[None]:
    """With torch computing in the thread that calls it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
