"""Tiles put together again: evidence of many cores in, evidence of any window out.

Cells that no tile measured come back as not scanned, so that nothing is said about them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from qc.artefact.classical.evidence import BLOCK_CELLS, Evidence
from qc.artefact.stage import MeasuredTile, in_one_piece
from qc.geometry import Window

E = TypeVar("E")
Tile = MeasuredTile[Evidence]


def cropped(evidence: Evidence, halo_cells: int) -> Evidence:
    """The core of a tile's evidence.

    Raises:
        ValueError: If the halo is no multiple of the focus blocks.
    """
    if halo_cells % BLOCK_CELLS:
        raise ValueError(f"a halo of {halo_cells} cells cuts focus blocks of {BLOCK_CELLS} cells")
    if halo_cells == 0:
        return evidence
    inner, blocks = slice(halo_cells, -halo_cells), slice(halo_cells // BLOCK_CELLS, -(halo_cells // BLOCK_CELLS))
    return Evidence(
        rgb=evidence.rgb[inner, inner].copy(),
        is_scanned=evidence.is_scanned[inner, inner],
        fine=evidence.fine[blocks, blocks].copy(),
        coarse=evidence.coarse[blocks, blocks].copy(),
        cell_um=evidence.cell_um,
    )


def packed(tiles: Sequence[Tile]) -> list[Tile]:
    """The same tiles, each plane a view into one array for all of them."""
    rgb = in_one_piece([tile.evidence.rgb for tile in tiles])
    fine = in_one_piece([tile.evidence.fine for tile in tiles])
    coarse = in_one_piece([tile.evidence.coarse for tile in tiles])
    return [
        MeasuredTile(tile.core, replace(tile.evidence, rgb=rgb[i], fine=fine[i], coarse=coarse[i]))
        for i, tile in enumerate(tiles)
    ]


def assembled(tiles: Iterable[Tile], window: Window, cell_um: float) -> Evidence:
    """Evidence over `window`, whose corner and sides must be multiples of the focus blocks."""
    coarse_window = _in_blocks(window)
    rgb = np.full((*window.size.shape, 3), 255, np.uint8)
    is_scanned = np.zeros(window.size.shape, np.bool_)
    fine = np.zeros(coarse_window.size.shape, np.float16)
    coarse = np.zeros_like(fine)
    for tile in tiles:
        _paste(tile.evidence.rgb, tile.core, rgb, window)
        _paste(tile.evidence.is_scanned, tile.core, is_scanned, window)
        _paste(tile.evidence.fine, _in_blocks(tile.core), fine, coarse_window)
        _paste(tile.evidence.coarse, _in_blocks(tile.core), coarse, coarse_window)
    return Evidence(rgb, is_scanned, fine, coarse, cell_um)


def overlapping(tiles: Iterable[MeasuredTile[E]], window: Window) -> list[MeasuredTile[E]]:
    """Tiles whose cores touch `window`."""
    return [
        tile
        for tile in tiles
        if tile.core.x < window.right
        and window.x < tile.core.right
        and tile.core.y < window.bottom
        and window.y < tile.core.bottom
    ]


def _in_blocks(window: Window) -> Window:
    sides = (window.x, window.y, window.width, window.height)
    if any(side % BLOCK_CELLS for side in sides):
        raise ValueError(f"{window} cuts focus blocks of {BLOCK_CELLS} cells")
    return Window(*(side // BLOCK_CELLS for side in sides))


def _paste(part: NDArray, at: Window, whole: NDArray, frame: Window) -> None:
    left, top = max(at.x, frame.x), max(at.y, frame.y)
    right, bottom = min(at.right, frame.right), min(at.bottom, frame.bottom)
    if right > left and bottom > top:
        whole[top - frame.y : bottom - frame.y, left - frame.x : right - frame.x] = part[
            top - at.y : bottom - at.y, left - at.x : right - at.x
        ]
