"""Where networks are: those that come with the product by name, others by their folder."""

from pathlib import Path

from qc.errors import WeightsError
from qc.nets.card import CARD

_FOLDER = Path(__file__).parents[1] / "weights"


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
