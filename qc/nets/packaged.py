"""Networks by name: those that come with the product, others by their folder."""

from pathlib import Path
from typing import Literal

from qc.errors import WeightsError
from qc.nets.card import CARD
from qc.nets.session import Precision, Session, session

_FOLDER = Path(__file__).parents[1] / "weights"


def network_of(name: str, task: Literal["artefact", "tissue"], precision: Precision = "float32") -> Session:
    """The network that settings name, loaded once in a process.

    Args:
        name: See `network_folder`.
        task: What it is needed for.
        precision: Of its numbers.

    Raises:
        WeightsError: If it is not there, damaged, or for another task.
    """
    network = session(network_folder(name), precision=precision)
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
