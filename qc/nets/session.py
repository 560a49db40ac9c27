"""A network that is ready to run. In: a tile's pixels. Out: probabilities.

On the processor ONNX Runtime runs it, and torch is not needed: each call computes in its own thread, so tiles run side
by side. On a GPU torch does. One session serves all threads of a process.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from qc.errors import WeightsError
from qc.nets.card import GRAPH, INT8_GRAPH, Card, read_card
from qc.nets.image import Rgb, on_any_size

Precision = Literal["float32", "int8"]
Wanted = Precision | Literal["auto"]
Device = Literal["cpu", "gpu"]


class Session:
    """A loaded network.

    Attributes:
        card: What is known of it.
        precision: Of its numbers; where auto is asked for, 8 bits on the processor if it has such a form.
        device: What it runs on.
    """

    def __init__(self, folder: Path, threads: int = 1, precision: Wanted = "float32", device: Device = "cpu") -> None:
        self.card: Card = read_card(folder)
        if precision == "auto":
            precision = "int8" if device == "cpu" and self.card.int8_sha256 else "float32"
        self.precision: Precision = precision
        self.device: Device = device
        if precision == "int8" and self.card.int8_sha256 is None:
            raise WeightsError(
                f"{folder} holds no network in 8 bits that was adopted", "pass float32 or see qc train quantise"
            )
        if device == "gpu":
            from qc.nets.gpu import open_weights  # torch is slow to import, and most machines run without a GPU

            self._run = open_weights(folder)
        else:
            self._run = open_graph(folder / (GRAPH if precision == "float32" else INT8_GRAPH), threads)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the card, which holds thresholds and the hashes of weights and graphs: equal ones decide alike."""
        return hashlib.sha256(self.card.model_dump_json().encode()).hexdigest()

    def probabilities(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(C, ceil(H / stride), ceil(W / stride)) float32, 0-1, of an image of any size.

        Args:
            rgb: (H, W, 3) uint8 at about the card's mpp.
        """
        return self._run(rgb)


def open_graph(path: Path, threads: int = 1) -> Callable[[Rgb], NDArray[np.float32]]:
    """A graph as a function, see `Session.probabilities`.

    Args:
        path: Of the graph.
        threads: That one call computes with.

    Raises:
        WeightsError: If it cannot be loaded.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        run = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run
    except Exception as error:
        raise WeightsError(f"{path} cannot be loaded ({error})", "restore the folder whole") from error

    return on_any_size(lambda whole: np.asarray(run(None, {"rgb": whole[None]})[0])[0])


@lru_cache(maxsize=8)
def session(folder: Path, threads: int = 1, precision: Wanted = "float32", device: Device = "cpu") -> Session:
    """The session of a folder, loaded once in a process.

    Raises:
        WeightsError: See `Session`.
    """
    return Session(folder, threads, precision, device)
