"""Cells as a network sees them that learnt to tell types of blood cells. In: typed cells, bags. Out: arrays; features.

The types are another task than the patients', but a related one, and somebody has labelled them.
"""

import hashlib
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from qc.config.lymphocytosis import CellTypeSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.cells import read_image
from qc.downstream.lymphocytosis.cohort import IMAGE_SUFFIXES
from qc.downstream.lymphocytosis.encode import Float32, encoded, name_of
from qc.downstream.lymphocytosis.model import Bench
from qc.downstream.lymphocytosis.pixels import Pixels
from qc.downstream.lymphocytosis.sampler import ShuffledRows
from qc.downstream.lymphocytosis.tensors import Tensors
from qc.downstream.network import scaled
from qc.downstream.trainer import train
from qc.errors import SettingsError
from qc.nets.pretrained import seeded, timm_network

Typed = list[tuple[Path, int]]


def fit_cell_types(settings: CellTypeSettings, bench: Bench) -> Tensors:
    """Weights of the encoder, trained on the folder's cells, or as they were given."""
    typed = typed_cells(Path(settings.folder)) if settings.folder else []
    types = max([0, *(label + 1 for _, label in typed)])
    network = seeded(lambda: timm_network(settings.encoder, types, settings.encoder_weights), settings.seed)
    if typed:
        dataset = _Typed(typed, settings, bench)
        sampler = ShuffledRows(len(typed), settings.batch_cells, settings.seed)
        digest = hashlib.sha256(f"{settings.model_dump_json()} {bench.cells.model_dump_json()}".encode())
        digest.update(dataset.rgb.tobytes())
        home = bench.folder / "cell-types" / digest.hexdigest()[:20]
        note = {"settings": settings.model_dump(mode="json"), "cells": len(typed)}
        train(network, type_loss, DataLoader(dataset, batch_sampler=sampler), settings, settings.seed, home, note)
    cast(Any, network).reset_classifier(0)
    return {name: one.detach().numpy().copy() for name, one in network.state_dict().items()}


def type_features(tensors: Tensors, settings: CellTypeSettings, bags: Bags, bench: Bench) -> list[Float32]:
    """(N_i, features) of each patient's cells; kept in the bench's folder."""
    network = timm_network(settings.encoder, 0)
    network.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in tensors.items()})
    network.eval()
    name = name_of(tensors, f"{settings.pixels.model_dump_json()} {bench.cells.model_dump_json()}")
    return encoded(network, int(cast(Any, network).num_features), name, settings.pixels, bags, bench)


def typed_cells(folder: Path) -> Typed:
    """Images and the number of their type: the place of its folder's name in the alphabet.

    Raises:
        SettingsError: If there are fewer than two types, or a type has no image.
    """
    homes = sorted(one for one in folder.glob("*") if one.is_dir())
    if len(homes) < 2:
        raise SettingsError(f"{folder} holds {len(homes)} folders of cells", "put each type into a folder of its own")
    found: Typed = []
    for label, home in enumerate(homes):
        files = sorted(one for one in home.glob("*") if one.suffix.lower() in IMAGE_SUFFIXES)
        if not files:
            raise SettingsError(f"{home} holds no image", "put cells of one type into it, or take it away")
        found += [(file, label) for file in files]
    return found


def type_loss(network: nn.Module, batch: Any, rng: np.random.Generator) -> Tensor:  # noqa: ARG001
    """Cross-entropy of types."""
    rgb, label = batch
    return functional.cross_entropy(network(scaled(rgb)).float(), label)


class _Typed(Dataset[tuple[Tensor, Tensor]]):
    rgb: NDArray[np.uint8]

    def __init__(self, typed: Typed, settings: CellTypeSettings, bench: Bench) -> None:
        seen = settings.pixels.model_copy(update={"crop_px": settings.typed_crop_px})
        pixels = Pixels(seen, bench.cells, bench.folder / "pixels")
        self.rgb = np.stack([pixels.seen(read_image(path)) for path, _ in typed])
        self._labels = [label for _, label in typed]

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(np.array(self.rgb[row])), torch.tensor(self._labels[row])
