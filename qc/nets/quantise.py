"""A network in whole numbers of 8 bits. In: a network's folder, tiles. Out: its graph rounded, beside the exact one.

Weights and activations are rounded after training, by ranges that are taken from tiles of the caller (static
quantisation, Jacob et al. 2018, doi:10.1109/CVPR.2018.00286); each channel of weights has its own scale. Weights keep 7
bits, so that no sum overflows on processors without instructions for such products. The last layers, which turn logits
into probabilities, stay exact.
"""

import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from qc.errors import WeightsError
from qc.files import replacing, write_text
from qc.nets.card import CARD, GRAPH, INT8_GRAPH, Card, read_card, sha256

_ROUNDED = ("Conv", "Add", "Resize", "Relu", "Concat")


def quantise(folder: Path, tiles: Iterable[NDArray[np.uint8]]) -> Path:
    """Write the rounded graph beside a network's own; the card does not speak of it before it is adopted.

    Args:
        folder: The network.
        tiles: (H, W, 3) uint8 each, sides multiples of 32, of the kind that the network will meet.

    Raises:
        WeightsError: If the network is not there or damaged.
    """
    read_card(folder)
    out = folder / INT8_GRAPH
    with tempfile.TemporaryDirectory() as scratch, replacing(out) as partial, _quiet():
        plain = Path(scratch) / GRAPH
        quant_pre_process(folder / GRAPH, plain, skip_symbolic_shape=True)
        quantize_static(
            plain,
            partial,
            _Tiles(tiles),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(_ROUNDED),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    return out


def adopt(folder: Path) -> Card:
    """Let the card speak of the rounded graph, so that it may be run.

    Raises:
        WeightsError: If the network or its rounded graph is not there, or damaged.
    """
    found = sha256(folder / INT8_GRAPH)
    if not found:
        raise WeightsError(f"{folder} holds no network in 8 bits to adopt", "run qc train quantise")
    card = read_card(folder).model_copy(update={"int8_sha256": found})
    write_text(folder / CARD, card.model_dump_json(indent=2) + "\n")
    return read_card(folder)


class _Tiles(CalibrationDataReader):
    """Tiles one by one, as the graph takes them."""

    def __init__(self, tiles: Iterable[NDArray[np.uint8]]) -> None:
        self._tiles = iter(tiles)

    def get_next(self) -> dict[str, NDArray[np.uint8]]:
        """The next tile, nothing after the last."""
        tile = next(self._tiles, None)
        return {} if tile is None else {"rgb": np.ascontiguousarray(tile)[None]}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the quantiser's advice on the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
