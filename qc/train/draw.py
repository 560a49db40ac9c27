"""Tiles are drawn once and kept, for reading and composing cost more than training a compact network on them.

In: planned sources. Out: a bank that many trainings read from: folds, ablations, repeats.
"""

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from filelock import FileLock

from qc.artefact.training import Planned, TileSource
from qc.config.base import Settings
from qc.config.train import TrainSettings
from qc.files import write_text
from qc.labels import ARTEFACTS, ArtefactClass
from qc.tissue.training import PlannedTissue, TissueSource
from qc.train.bank import CLASSES, PIXELS, TABLE, TileBank, close_files
from qc.train.dataset import Ref, Tiles

_CHUNK = 64
_LOCK = ".lock"
Wanted = tuple[int, ArtefactClass, int]
Progress = Callable[[int, int], None]
"""Called with tiles done and tiles in all."""


def draw_bank(
    planned: Planned,
    settings: TrainSettings,
    folder: Path,
    workers: int = 2,
    progress: Progress = lambda _done, _total: None,
) -> TileBank:
    """Tiles of all sources: each clean and each annotated one once, and composed ones of every class.

    A folder that holds the same tiles already is used as it is.

    Args:
        planned: What can be read.
        settings: `compose`, `noise`, `seed` and `sampling.composed_tiles` for each class.
        folder: Where the tiles are kept, about 0.25 MB each.
        workers: Processes that read and compose; 0 for this one.
        progress: Told about tiles.
    """
    source = TileSource(planned, settings.compose, settings.noise, settings.seed)
    wanted = [(index, ArtefactClass.CLEAN, 0) for index in range(len(source.refs))]
    wanted += _from_every_slide(source.refs, ARTEFACTS, settings)
    parts = (planned.settings, settings.compose, settings.noise)
    tiles = _Drawn(source, source.refs, wanted, planned.settings.mpp, planned.settings.tile_px)
    return _drawn(tiles, _fingerprint(parts, settings), folder, workers, progress)


def draw_tissue_bank(
    planned: PlannedTissue,
    settings: TrainSettings,
    folder: Path,
    workers: int = 2,
    progress: Progress = lambda _done, _total: None,
) -> TileBank:
    """Tiles of overviews with anything laid on them, as many clean ones as of every class; else like `draw_bank`."""
    source = TissueSource(planned, settings.overview, settings.seed)
    wanted = _from_every_slide(source.refs, (ArtefactClass.CLEAN, *ARTEFACTS), settings)
    tiles = _Drawn(source, source.refs, wanted, planned.settings.mpp, planned.settings.tile_px)
    return _drawn(tiles, _fingerprint((planned.settings, settings.overview), settings), folder, workers, progress)


@dataclass(frozen=True)
class _Drawn:
    """What is to be drawn, and where from."""

    source: Tiles
    refs: Sequence[Ref]
    wanted: list[Wanted]
    mpp: float
    tile_px: int


def _drawn(tiles: _Drawn, fingerprint: str, folder: Path, workers: int, progress: Progress) -> TileBank:
    """The bank in a folder; of several trainings that want it at once, one draws and the others wait."""
    bank = TileBank(folder, tuple(_kept(tiles.refs[index], label) for index, label, _draw in tiles.wanted), tiles.mpp)
    if not _holds(folder, fingerprint):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / _LOCK):
            if not _holds(folder, fingerprint):
                _draw(tiles, fingerprint, folder, workers, progress)
    return bank


def _holds(folder: Path, fingerprint: str) -> bool:
    try:
        return json.loads((folder / TABLE).read_text(encoding="utf-8"))["fingerprint"] == fingerprint
    except FileNotFoundError:  # none yet, or another training has just begun to draw others
        return False


def _draw(tiles: _Drawn, fingerprint: str, folder: Path, workers: int, progress: Progress) -> None:
    wanted, side, table = tiles.wanted, tiles.tile_px, folder / TABLE
    table.unlink(missing_ok=True)
    close_files(folder)
    for name, shape in ((PIXELS, (len(wanted), side, side, 3)), (CLASSES, (len(wanted), side, side))):
        np.lib.format.open_memmap(folder / name, "w+", np.uint8, shape).flush()
    chunks = [list(range(start, min(start + _CHUNK, len(wanted)))) for start in range(0, len(wanted), _CHUNK)]
    for done, _ in enumerate(_filled(chunks, workers, (tiles.source, wanted, folder)), start=1):
        progress(min(done * _CHUNK, len(wanted)), len(wanted))
    write_text(table, json.dumps({"fingerprint": fingerprint, "tiles": len(wanted)}) + "\n")


def _filled(chunks: list[list[int]], workers: int, what: tuple[Tiles, list[Wanted], Path]) -> Iterator[None]:
    """Fill chunk by chunk, in this process when there are no workers."""
    if not workers:
        _start(*what)
        yield from map(_fill, chunks)
        return
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=what) as pool:
        yield from pool.map(_fill, chunks)


def _from_every_slide(refs: Sequence[Ref], labels: Sequence[ArtefactClass], settings: TrainSettings) -> list[Wanted]:
    """The same number of tiles of each class, from every slide alike."""
    by_slide: dict[str, list[int]] = {}
    for index, ref in enumerate(refs):
        if ref.composable:
            by_slide.setdefault(ref.slide, []).append(index)
    slides = list(by_slide.values())
    if not slides:
        return []
    rng = np.random.default_rng([settings.seed, 1])
    wanted = []
    for label in labels:
        for number in range(settings.sampling.composed_tiles):
            slide = slides[number % len(slides)]
            wanted.append((slide[int(rng.integers(len(slide)))], label, number))
    return wanted


def _kept(ref: Ref, label: ArtefactClass) -> Ref:
    if label is ArtefactClass.CLEAN:
        return replace(ref, composable=False)
    return replace(ref, composable=False, classes=frozenset({label}), is_composed=True)


def _fingerprint(parts: Sequence[Settings], settings: TrainSettings) -> str:
    numbers = f"{settings.seed} {settings.sampling.composed_tiles}"
    return hashlib.sha256("\n".join([*(part.model_dump_json() for part in parts), numbers]).encode()).hexdigest()


_state: dict[str, Any] = {}


def _start(source: Tiles, wanted: list[Wanted], folder: Path) -> None:
    cv2.setNumThreads(1)
    _state.update(source=source, wanted=wanted, folder=folder)


def _fill(chunk: list[int]) -> None:
    pixels = np.load(_state["folder"] / PIXELS, mmap_mode="r+")
    classes = np.load(_state["folder"] / CLASSES, mmap_mode="r+")
    for place in chunk:
        tile = _state["source"].read(*_state["wanted"][place])
        pixels[place], classes[place] = tile.rgb, tile.classes
    pixels.flush()
    classes.flush()
