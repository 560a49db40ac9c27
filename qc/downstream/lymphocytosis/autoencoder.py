"""Codes of cells that nobody had to label. In: pixels of cells. Out: a trained auto-encoder, and codes.

Average pooling keeps more of a picture than maximum pooling does, hence four blocks of it; seven blocks lead back.
"""

import hashlib
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from qc.config.lymphocytosis import AutoEncoderSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.encode import Float32, encoded, name_of
from qc.downstream.lymphocytosis.model import Bench
from qc.downstream.lymphocytosis.pixels import Pixels
from qc.downstream.lymphocytosis.sampler import ShuffledRows
from qc.downstream.lymphocytosis.tensors import Tensors
from qc.downstream.network import scaled
from qc.downstream.trainer import train
from qc.nets.pretrained import seeded

_POOLINGS = 4


class AutoEncoder(nn.Module):
    """(N, H, W, 3) uint8 to codes (N, features) and back to (N, 3, H, W) between -1 and 1."""

    def __init__(self, settings: AutoEncoderSettings) -> None:
        super().__init__()
        side = settings.pixels.input_px // 2**_POOLINGS
        deep = settings.features // side**2
        down = (3, *settings.widths, deep)
        self.encoder = nn.Sequential(
            *(layer for before, after in itertools.pairwise(down) for layer in _down(before, after)),
            nn.Flatten(),
        )
        up = (deep, *(width for width in reversed(settings.widths) for _ in range(2)), settings.widths[0])
        blocks = [
            layer
            for i, (before, after) in enumerate(itertools.pairwise(up))
            for layer in _up(before, after, doubles=i % 2 == 0)
        ]
        last = nn.ConvTranspose2d(up[-1], 3, 3, padding=1)
        self.decoder = nn.Sequential(nn.Unflatten(1, (deep, side, side)), *blocks, last, nn.Tanh())

    def forward(self, rgb: Tensor) -> Tensor:
        """What is left of the pictures."""
        return self.decoder(self.encoder(scaled(rgb)))


def _down(before: int, after: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(after), nn.AvgPool2d(2)


def _up(before: int, after: int, doubles: bool) -> tuple[nn.Module, ...]:
    stride = 2 if doubles else 1
    layer = nn.ConvTranspose2d(before, after, 3, stride=stride, padding=1, output_padding=stride - 1)
    return layer, nn.ReLU(), nn.BatchNorm2d(after)


def fit_autoencoder(bags: Bags, settings: AutoEncoderSettings, bench: Bench) -> AutoEncoder:
    """Train on cells of the bench's pool, or of the bags where there is none; labels are not looked at."""
    source = bench.pool or bags
    pixels = Pixels(settings.pixels, bench.cells, bench.folder / "pixels")
    digest = hashlib.sha256(f"{settings.model_dump_json()} {bench.cells.model_dump_json()}".encode())
    digest.update(" ".join(sorted(cells.digest for cells in source.cells)).encode())
    dataset = _CellPictures([pixels.of(cells) for cells in source.cells], settings.cells_max)
    sampler = ShuffledRows(len(dataset), settings.batch_cells, settings.seed)
    loader = DataLoader(dataset, batch_sampler=sampler, collate_fn=_stacked)
    network = seeded_autoencoder(settings)
    home = bench.folder / "autoencoders" / digest.hexdigest()[:20]
    train(network, _loss, loader, settings, settings.seed, home, {"settings": settings.model_dump(mode="json")})
    return network


def seeded_autoencoder(settings: AutoEncoderSettings) -> AutoEncoder:
    """With weights drawn by seed."""
    return seeded(lambda: AutoEncoder(settings), settings.seed)


def encoder_tensors(network: AutoEncoder) -> Tensors:
    """Weights of the half that makes codes."""
    return {name: one.numpy().copy() for name, one in network.encoder.state_dict().items()}


def codes(tensors: Tensors, settings: AutoEncoderSettings, bags: Bags, bench: Bench) -> list[Float32]:
    """(N_i, features) of each patient's cells; kept in the bench's folder."""
    network = AutoEncoder(settings)
    network.encoder.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in tensors.items()})
    network.eval()
    return encoded(network.encoder, settings.features, name_of(tensors), settings.pixels, bags, bench)


def _loss(network: nn.Module, batch: Any, rng: np.random.Generator) -> Tensor:  # noqa: ARG001
    """Mean squared error of the picture."""
    return functional.mse_loss(network(batch).float(), scaled(batch))


class _CellPictures(Dataset[NDArray[np.uint8]]):
    """Cells of all patients in one row."""

    def __init__(self, arrays: Sequence[NDArray[np.uint8]], cells_max: int) -> None:
        self._arrays = arrays
        self._rows = [(i, j) for i, array in enumerate(arrays) for j in range(min(len(array), cells_max))]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> NDArray[np.uint8]:
        i, j = self._rows[row]
        return np.array(self._arrays[i][j])


def _stacked(cells: Sequence[NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(cells))
