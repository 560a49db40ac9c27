"""A network that runs on a CPU by ONNX Runtime. In: a tile's pixels. Out: probabilities. Needs no torch.

One session serves all threads of a process; each call computes in its own thread, so tiles run side by side.
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from qc.errors import WeightsError
from qc.nets.card import GRAPH, Card, read_card

_MULTIPLE_PX = 32


class Session:
    """A loaded network.

    Attributes:
        card: What is known of it.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.card: Card = read_card(folder)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._run = ort.InferenceSession(folder / GRAPH, options, providers=["CPUExecutionProvider"]).run
        except Exception as error:
            raise WeightsError(f"{folder / GRAPH} cannot be loaded ({error})", "restore the folder whole") from error

    def probabilities(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(C, ceil(H / stride), ceil(W / stride)) float32, 0-1, of an image of any size.

        Args:
            rgb: (H, W, 3) uint8 at about the card's mpp.
        """
        height, width = rgb.shape[:2]
        bottom, right = -height % _MULTIPLE_PX, -width % _MULTIPLE_PX
        if bottom or right:
            rgb = np.asarray(cv2.copyMakeBorder(rgb, 0, bottom, 0, right, cv2.BORDER_REFLECT_101), np.uint8)
        out = np.asarray(self._run(None, {"rgb": np.ascontiguousarray(rgb)[None]})[0])[0]
        stride = rgb.shape[0] // out.shape[1]
        return out[:, : -(-height // stride), : -(-width // stride)]


@lru_cache(maxsize=8)
def session(folder: Path, threads: int = 1) -> Session:
    """The session of a folder, loaded once in a process.

    Raises:
        WeightsError: See `Session`.
    """
    return Session(folder, threads)
