"""How fast networks run on tiles, in turn with decoding those tiles. In: tiles, a network. Out: times and ratios.

Tiles run side by side as in an assessment: as many at once as there are cores, each computed by one thread.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qc.artefact.network.agreement import Agreement, agreement
from qc.bench.decoding import decode_seconds, seconds_of
from qc.bench.tiles import SlideTiles
from qc.nets.card import GRAPH, INT8_GRAPH
from qc.nets.eager import eager, one_thread_each, parameter_count
from qc.nets.peers import PEERS, build_peer
from qc.nets.session import Session, open_graph
from qc.nets.weights import export, load

Rgb = NDArray[np.uint8]
ONNX, TORCH = "ONNX Runtime", "torch"


@dataclass(frozen=True)
class Contender:
    """A network that is to be timed.

    Attributes:
        name: For the report.
        engine: What runs it.
        parameters: Trained numbers.
        takes_halo: True when tiles are passed with their halo.
        run: Pixels in.
    """

    name: str
    engine: str
    parameters: int
    takes_halo: bool
    run: Callable[[Rgb], object]


@dataclass(frozen=True)
class NetworkTiming:
    """One network; times are seconds per tile, one per repeat."""

    name: str
    engine: str
    parameters: int
    input_px: int
    tile_s: tuple[float, ...]


@dataclass(frozen=True)
class NetworkTimings:
    """Networks and decoding on the same tiles.

    Attributes:
        network: Name of our network, with its hash.
        tiles: How many.
        threads: Tiles side by side.
        decode_s: OpenSlide alone, seconds per tile, one per repeat.
        timings: The networks; the first is the one that assesses.
        rounded: How far its form in 8 bits agrees on these tiles, where it has one.
    """

    network: str
    tiles: int
    threads: int
    decode_s: tuple[float, ...]
    timings: tuple[NetworkTiming, ...]
    rounded: Agreement | None

    def ratio(self, timing: NetworkTiming) -> float:
        """Median of network / decoding, pair by pair."""
        return statistics.median(a / d for a, d in zip(timing.tile_s, self.decode_s, strict=True))

    def slower(self, timing: NetworkTiming) -> float:
        """Median of network / our network, pair by pair."""
        return statistics.median(a / o for a, o in zip(timing.tile_s, self.timings[0].tile_s, strict=True))


def time_networks(
    folder: Path, slides: Sequence[SlideTiles], repeats: int, threads: int, peers: Sequence[str] = PEERS
) -> NetworkTimings:
    """Time our network and the architectures of others on tiles.

    Args:
        folder: Our network.
        slides: Tiles with their halo.
        repeats: How often each is timed, in turn.
        threads: Tiles side by side.
        peers: Of `PEERS`.

    Raises:
        WeightsError: If the network is not there or damaged.
    """
    session = Session(folder)
    whole = [rgb for one in slides for rgb in one.rgb]
    cores = [np.ascontiguousarray(rgb[one.inner]) for one in slides for rgb in one.rgb]
    with tempfile.TemporaryDirectory() as scratch, one_thread_each():
        contenders = [*_ours(folder, session), *_others(peers, Path(scratch))]
        for contender in contenders:
            contender.run((whole if contender.takes_halo else cores)[0])
        decode: list[float] = []
        times: list[list[float]] = [[] for _ in contenders]
        for _ in range(repeats):
            decode.append(sum(decode_seconds(one.file, one.reads, threads) for one in slides) / len(whole))
            for contender, mine in zip(contenders, times, strict=True):
                items = whole if contender.takes_halo else cores
                mine.append(seconds_of(contender.run, items, threads) / len(items))
    return NetworkTimings(
        network=f"{session.card.name} {session.card.weights_sha256[:8]}",
        tiles=len(whole),
        threads=threads,
        decode_s=tuple(decode),
        timings=tuple(
            NetworkTiming(c.name, c.engine, c.parameters, (whole if c.takes_halo else cores)[0].shape[0], tuple(mine))
            for c, mine in zip(contenders, times, strict=True)
        ),
        rounded=_rounded(folder, session, whole),
    )


def _ours(folder: Path, session: Session) -> Iterator[Contender]:
    model, card = load(folder)
    count = parameter_count(model)
    yield Contender(card.name, ONNX, count, True, session.probabilities)
    if (folder / INT8_GRAPH).is_file():
        yield Contender(f"{card.name}, 8 bits", ONNX, count, True, open_graph(folder / INT8_GRAPH))
    yield Contender(card.name, TORCH, count, True, eager(model))


def _others(peers: Sequence[str], scratch: Path) -> Iterator[Contender]:
    for number, name in enumerate(peers):
        model, graph = build_peer(name), scratch / f"{number}-{GRAPH}"
        export(model, graph)
        yield Contender(name, ONNX, parameter_count(model), False, open_graph(graph))
        yield Contender(name, TORCH, parameter_count(model), False, eager(model))


def _rounded(folder: Path, session: Session, tiles: Sequence[Rgb]) -> Agreement | None:
    if not (folder / INT8_GRAPH).is_file():
        return None
    return agreement(session.probabilities, open_graph(folder / INT8_GRAPH), session.card, tiles)
