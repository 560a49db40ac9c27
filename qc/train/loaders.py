"""What Lightning reads batches from. In: tiles to train and validate on. Out: loaders of varied, balanced batches."""

from typing import Any, Protocol

import lightning as L  # noqa: N812 - its own documentation's name
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from qc.config.train import TrainSettings
from qc.config.training import AugmentSettings
from qc.errors import SettingsError
from qc.labels import ArtefactClass
from qc.nets.sampler import BalancedBatches
from qc.train.dataset import Labels, Ref, TileDataset, Tiles
from qc.train.rarity import class_weights

_VALIDATION_SEED = 77
_COUNTED_BATCHES = 32


class Source(Tiles, Protocol):
    """Tiles that can be sampled and read."""

    @property
    def refs(self) -> tuple[Ref, ...]:
        """What each tile is."""
        ...


class Loaders(L.LightningDataModule):
    """Loaders made when Lightning asks for them: by then each process knows its number.

    Args:
        train: Tiles to train on.
        validation: Tiles of other patients, or None.
        classes: What is told apart, in the order of the logits.
        settings: Of the training.
        stride: Pixels per cell of the network's output.
        workers: Processes that read and vary tiles.
        labels: What cells are said to show; by default what is in their middle.
    """

    def __init__(
        self,
        train: Source,
        validation: Source | None,
        classes: tuple[ArtefactClass, ...],
        settings: TrainSettings,
        stride: int,
        workers: int,
        labels: Labels | None,
    ) -> None:
        super().__init__()
        self._train, self._validation = train, validation
        self._classes, self._settings, self._stride, self._workers = classes, settings, stride, workers
        self._labels = labels

    def check(self) -> None:
        """Make sure that batches can be filled.

        Raises:
            SettingsError: If they cannot.
        """
        for source in filter(None, (self._train, self._validation)):
            try:
                self._batches(source, 1, 0, 0, 1)
            except ValueError as error:
                slides = sorted({ref.slide for ref in source.refs})
                raise SettingsError(
                    f"no batches can be drawn from {', '.join(slides) or 'nothing'} ({error})",
                    "name more sources, or set sampling.artefact_share to what there is",
                ) from error

    def class_weights(self) -> Tensor:
        """(C,) weights of cells by class, from what the first batches hold."""
        data = TileDataset(self._train, self._classes, self._stride, None, self._settings.seed, self._labels)
        batches = self._batches(self._train, _COUNTED_BATCHES, self._settings.seed, 0, 1)
        return class_weights(data, batches, len(self._classes), self._settings.optimiser.class_balance)

    def train_dataloader(self) -> DataLoader[Any]:
        """Varied tiles, this process's part of each epoch."""
        rank, world = _place()
        batches = self._batches(self._train, self._settings.sampling.batches, self._settings.seed, rank, world)
        if self.trainer is not None:
            batches.set_epoch(self.trainer.current_epoch)  # workers ask for batches before a resumed epoch starts
        return self._loader(self._train, batches, self._settings.augment, self._workers)

    def val_dataloader(self) -> DataLoader[Any] | list[Any]:
        """The same tiles every time, as they are."""
        if self._validation is None:
            return []
        batches = self._batches(self._validation, self._settings.sampling.validation_batches, _VALIDATION_SEED, 0, 1)
        return self._loader(self._validation, batches, None, min(1, self._workers))

    def _batches(self, source: Source, count: int, seed: int, rank: int, world: int) -> BalancedBatches:
        sampling = self._settings.sampling
        return BalancedBatches(
            source.refs,
            sampling.batch_tiles,
            count,
            sampling.artefact_share,
            seed,
            composed_share=self._settings.operating.prevalence,
            annotated_share=sampling.annotated_share,
            rank=rank,
            world=world,
        )

    def _loader(
        self, source: Source, batches: BalancedBatches, augment: AugmentSettings | None, workers: int
    ) -> DataLoader[Any]:
        return DataLoader(
            TileDataset(source, self._classes, self._stride, augment, self._settings.seed, self._labels),
            batch_sampler=batches,
            num_workers=workers,
            persistent_workers=workers > 0,
            multiprocessing_context="forkserver" if workers else None,
        )


def _place() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
