"""Encoders and their first weights, by chance or from a local file. In: a name, a file. Out: a network."""

from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import TypeVar

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from qc.errors import SettingsError, WeightsError

N = TypeVar("N", bound=nn.Module)

_PREFIX = "model."
"""What wrappers of timm's networks put before their names."""


def seeded(make: Callable[[], N], seed: int) -> N:
    """A network with weights drawn by seed; what is drawn elsewhere is as if nothing had been drawn here."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def timm_network(name: str, classes: int, weights: str | Path | None = None, dropout: float = 0.0) -> nn.Module:
    """A network known to timm; nothing is downloaded.

    Args:
        name: Of the network.
        classes: Outputs of its last layer, 0 for features.
        weights: File of first weights of all but the last layer; None or empty for random ones.
        dropout: Share of features dropped before the last layer, 0-1.

    Raises:
        SettingsError: If timm does not know it.
        WeightsError: If the file does not hold its weights.
    """
    try:
        network = timm.create_model(name, pretrained=False, num_classes=classes, drop_rate=dropout)
    except RuntimeError as error:
        raise SettingsError(f"encoder {name} cannot be built ({error})", "name one that timm lists") from error
    if weights:
        last = str(network.default_cfg["classifier"])  # type: ignore[index]
        load_encoder(network, Path(weights), name, without=(f"{last}.",))
    return network


def load_encoder(encoder: nn.Module, path: Path, name: str, without: tuple[str, ...] = ()) -> None:
    """Give an encoder the weights of a file; what the file holds besides is left.

    Args:
        encoder: Changed in place.
        path: safetensors, or a state dict that torch saved.
        name: Of the encoder, for the error.
        without: Beginnings of names that need not be in the file, such as a last layer for other classes.

    Raises:
        WeightsError: If the file cannot be read, or any weight is missing or of another shape.
    """
    given = {key.removeprefix(_PREFIX): one for key, one in _state(path).items()}
    own = encoder.state_dict()
    wanted = {key: given.get(key.removeprefix(_PREFIX)) for key in own if not key.startswith(without or ("\0",))}
    missing = [key for key, one in wanted.items() if one is None or one.shape != own[key].shape]
    if missing:
        raise WeightsError(
            f"{path} does not hold the weights of encoder {name} ({len(missing)} of {len(wanted)} are missing or of "
            f"another shape, as {missing[0]})",
            "name a file of the same encoder, or leave encoder_weights out",
        )
    encoder.load_state_dict({key: one for key, one in wanted.items() if one is not None}, strict=False)


def _state(path: Path) -> Mapping[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, SafetensorError, UnpicklingError) as error:
        raise WeightsError(f"{path} cannot be read as weights ({error})", "name a file of the encoder's") from error
    if not isinstance(state, Mapping):
        raise WeightsError(f"{path} holds no state dict", "save the encoder's state_dict()")
    return state


def between(start: Mapping[str, Tensor], end: Mapping[str, Tensor], kept: float) -> dict[str, Tensor]:
    """Weights on the straight line between those that a training started from and those it ended with.

    Args:
        start: State of the network before.
        end: State of the same network after.
        kept: Share of the first, 0-1; counts are taken from the end.
    """
    return {
        name: torch.lerp(last, start[name], kept) if last.is_floating_point() else last for name, last in end.items()
    }
