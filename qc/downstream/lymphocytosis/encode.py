"""Cells through a trained encoder. In: an encoder, bags. Out: one array of codes a patient, kept in a folder."""

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qc.config.lymphocytosis import PixelSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.model import Bench
from qc.downstream.lymphocytosis.pixels import Pixels
from qc.downstream.lymphocytosis.tensors import Tensors
from qc.downstream.network import scaled
from qc.files import replacing

Float32 = NDArray[np.float32]

_BATCH = 256


def encoded(
    encoder: Callable[[Tensor], Tensor], features: int, name: str, settings: PixelSettings, bags: Bags, bench: Bench
) -> list[Float32]:
    """(N_i, features) of each patient's cells.

    Args:
        encoder: From (N, 3, H, W) between -1 and 1 to (N, features), in evaluation mode.
        features: Of a cell.
        name: Of all that decides the codes; what lies in the bench's folder under it is not made again.
        settings: What is seen of a cell.
        bags: Whose.
        bench: Its folder.
    """
    pixels = Pixels(settings, bench.cells, bench.folder / "pixels")
    found = []
    for cells in bags.cells:
        file = bench.folder / "codes" / f"{name}-{cells.digest[:24]}.npy"
        if not file.is_file():
            made = _made(encoder, pixels.of(cells), features)
            with replacing(file) as partial, partial.open("wb") as handle:
                np.save(handle, made)
        found.append(np.load(file))
    return found


def name_of(tensors: Tensors, more: str = "") -> str:
    """Of weights and of what else decides."""
    found = hashlib.sha256()
    for key in sorted(tensors):
        found.update(np.ascontiguousarray(tensors[key]).tobytes())
    found.update(more.encode())
    return found.hexdigest()[:16]


def _made(encoder: Callable[[Tensor], Tensor], rgb: NDArray[np.uint8], features: int) -> Float32:
    found = np.zeros((len(rgb), features), np.float32)
    with torch.inference_mode():
        for start in range(0, len(rgb), _BATCH):
            batch = torch.from_numpy(np.array(rgb[start : start + _BATCH]))
            found[start : start + len(batch)] = encoder(scaled(batch)).numpy()
    return found
