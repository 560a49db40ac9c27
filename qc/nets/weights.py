"""Trained networks on disk. In: a calibrated network and what is known of it. Out: a folder, see `qc.nets.card`."""

import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from qc.errors import WeightsError
from qc.files import write_text
from qc.nets.build import build
from qc.nets.calibrated import Calibrated
from qc.nets.card import CARD, GRAPH, WEIGHTS, Card, read_card, sha256

_OPSET = 17
_EXPORT_PX = 256


def save(model: Calibrated, folder: Path, **known: Any) -> Card:
    """Write the weights, the graph and the card.

    Args:
        model: In evaluation mode, on the CPU.
        folder: Made when it is not there.
        known: All of the card but the network, the calibration and the hashes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # safetensors writes files that only their owner may read
    export(model, folder / GRAPH)
    prior = model.prior.flatten().tolist()
    card = Card(
        network=model.network.settings,
        temperature=float(model.temperature),
        prior=dict(zip(known["classes"], prior, strict=True)),
        weights_sha256=sha256(folder / WEIGHTS),
        graph_sha256=sha256(folder / GRAPH),
        **known,
    )
    write_text(folder / CARD, card.model_dump_json(indent=2) + "\n")
    return card


def load(folder: Path) -> tuple[Calibrated, Card]:
    """The network of a folder, in evaluation mode.

    Raises:
        WeightsError: If files are missing, damaged or do not fit together.
    """
    card = read_card(folder)
    model = Calibrated(build(card.network, len(card.classes)))
    try:
        model.load_state_dict(load_file(folder / WEIGHTS))
    except (RuntimeError, ValueError, OSError) as error:
        raise WeightsError(f"{folder / WEIGHTS} does not fit its card ({error})", "restore the folder whole") from error
    return model.eval(), card


def export(model: nn.Module, path: Path) -> None:
    """Write the graph for ONNX Runtime; batch, height and width are open."""
    example = torch.zeros(1, _EXPORT_PX, _EXPORT_PX, 3, dtype=torch.uint8)
    model = model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks about Python numbers
        torch.onnx.export(
            model,
            (example,),
            str(path),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["rgb"],
            output_names=["probabilities"],
            dynamic_axes={"rgb": {0: "n", 1: "h", 2: "w"}, "probabilities": {0: "n", 2: "i", 3: "j"}},
        )
