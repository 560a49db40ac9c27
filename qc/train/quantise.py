"""A trained network in 8 bits, and whether it is worth it. In: its folder, kept tiles. Out: a graph, what it costs."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qc.artefact.network.agreement import Agreement, Form, agreement
from qc.errors import SettingsError
from qc.nets.card import GRAPH, read_card
from qc.nets.quantise import quantise
from qc.nets.session import open_graph
from qc.train.bank import PIXELS

_TIMED = 20


@dataclass(frozen=True)
class Rounded:
    """What a network in 8 bits costs and gains.

    Attributes:
        path: Its graph.
        agreement: With the exact network, on tiles that its ranges were not taken from.
        speed: Time of the exact network / its own, median of pairs in one thread.
    """

    path: Path
    agreement: Agreement
    speed: float


def quantise_network(folder: Path, bank: Path, count: int) -> Rounded:
    """Round a network of artefacts and compare it with itself.

    Args:
        folder: The network.
        bank: Tiles that a training kept.
        count: Tiles that ranges are taken from, evenly spread over the bank; as many others are compared.

    Raises:
        WeightsError: If the network is not there or damaged.
        SettingsError: If there are too few tiles.
    """
    card = read_card(folder)
    tiles = _spread(bank, 2 * count)
    path = quantise(folder, tiles[::2])
    exact, rounded = open_graph(folder / GRAPH), open_graph(path)
    agreed = agreement(exact, rounded, card, tiles[1::2])
    return Rounded(path, agreed, _speed(exact, rounded, tiles[0]))


def _spread(bank: Path, count: int) -> list[NDArray[np.uint8]]:
    path = bank / PIXELS
    if not path.is_file():
        raise SettingsError(f"{bank} holds no tiles", "name the folder that qc train keeps its tiles in")
    pixels = np.load(path, mmap_mode="r")
    if len(pixels) < count:
        raise SettingsError(f"{bank} holds {len(pixels)} tiles, {count} are needed", "ask for fewer with --count")
    return [np.array(pixels[index]) for index in np.linspace(0, len(pixels) - 1, count).astype(int)]


def _speed(exact: Form, rounded: Form, tile: NDArray[np.uint8]) -> float:
    ratios = []
    for _ in range(_TIMED):
        started = time.perf_counter()
        exact(tile)
        between = time.perf_counter()
        rounded(tile)
        ratios.append((between - started) / (time.perf_counter() - between))
    return statistics.median(ratios)
