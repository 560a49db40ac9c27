"""Networks by name: those that come with the product, others by their folder."""

import shutil
from functools import cache
from pathlib import Path
from typing import Literal

from qc.errors import WeightsError
from qc.nets.card import CARD
from qc.nets.session import Device, Session, Wanted, session

_FOLDER = Path(__file__).parents[1] / "weights"
_DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))  # NVIDIA, under WSL, AMD


def network_of(
    name: str,
    task: Literal["artefact", "tissue"],
    precision: Wanted = "float32",
    device: Device | Literal["auto"] = "cpu",
) -> Session:
    """The network that settings name, loaded once in a process.

    Args:
        name: See `network_folder`.
        task: What it is needed for.
        precision: Of its numbers, see `Session`.
        device: What it runs on; auto takes a GPU, unless 8 bits are asked for.

    Raises:
        WeightsError: If it is not there, damaged, or for another task, or there is no GPU though one is asked for.
    """
    if device == "auto":
        device = "gpu" if precision != "int8" and has_gpu() else "cpu"
    network = session(network_folder(name), precision=precision, device=device)
    if network.card.task != task:
        raise WeightsError(f"{name} is a network of the task {network.card.task}", f"name one of the task {task}")
    return network


def network_folder(name: str) -> Path:
    """The folder of a network.

    Args:
        name: Of one that comes with the product, or a path.

    Raises:
        WeightsError: If there is neither.
    """
    for folder in (_FOLDER / name, Path(name)):
        if (folder / CARD).is_file():
            return folder
    known = sorted(path.parent.name for path in _FOLDER.glob(f"*/{CARD}"))
    raise WeightsError(
        f"there is no network {name}", f"name one of {', '.join(known) or 'none'} or a folder that qc train wrote"
    )


@cache
def has_gpu() -> bool:
    """True when torch can compute on a GPU; torch is not asked where no driver is installed, for that takes seconds."""
    if not any(driver.exists() for driver in _DRIVERS) and shutil.which("nvidia-smi") is None:
        return False
    from qc.nets.gpu import is_usable

    return is_usable()
