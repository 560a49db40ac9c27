"""Who is trained on and who is judged. In: a job's tiles. Out: their numbers by part; no patient is in two."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from qc.artefact.training import split_patients
from qc.config.train import TrainSettings
from qc.errors import SettingsError
from qc.labels import ArtefactClass
from qc.nets.build import Network
from qc.nets.card import CARD, read_card
from qc.nets.packaged import network_folder
from qc.nets.weights import load
from qc.train.dataset import Ref
from qc.train.job import Job

ALL = "all"
"""The part that is trained on everybody."""


def check_patients(refs: Sequence[Ref], settings: TrainSettings, shares: Mapping[str, float]) -> None:
    """Refuse what could not be split later, before any tile is drawn.

    Args:
        refs: All tiles that are planned.
        settings: Folds, and slides that are held out.
        shares: The sources' parts, which count where there are no folds.

    Raises:
        SettingsError: If there are fewer patients than parts.
    """
    patients = {ref.patient for ref in refs if ref.slide not in settings.hold_out}
    parts = settings.folds or sum(share > 0 for share in shares.values())
    if len(patients) < parts:
        what = f"{parts} folds" if settings.folds else f"the parts {', '.join(shares)}"
        raise SettingsError(
            f"too few patients ({len(patients)}) for {what}",
            "add sources, set fewer folds, or name fewer parts in the sources file: parts = {train = 0.7, ...}",
        )


def check_start(settings: TrainSettings, classes: Sequence[ArtefactClass], density: float | None) -> None:
    """Refuse first weights of another kind of network, before any tile is drawn.

    Args:
        settings: Which may name a network to start from.
        classes: What is to be told apart.
        density: What tissue is brought to.

    Raises:
        SettingsError: If the network is of another task or form, or sees slides in another light.
        WeightsError: If it is not there or damaged.
    """
    if not settings.start:
        return
    card = read_card(network_folder(settings.start))
    if card.classes != tuple(one.name for one in classes) or card.network != settings.network:
        raise SettingsError(
            f"{settings.start} tells {', '.join(card.classes)} apart by {card.network}",
            "start from a network of the same task and form, or from none",
        )
    if card.tissue_density != density:
        raise SettingsError(
            f"{settings.start} sees tissue at density {card.tissue_density}, the sources ask for {density}",
            f"write tissue_density = {card.tissue_density} at the top of the sources file"
            if card.tissue_density
            else "take tissue_density out of the sources file",
        )


def kept_tiles(job: Job) -> list[int]:
    """Tiles of all slides but those that are held out."""
    return [index for index, ref in enumerate(job.bank.refs) if ref.slide not in job.settings.hold_out]


def fold_parts(job: Job, kept: list[int]) -> dict[str, list[int]]:
    """Tiles of each fold, by name; none without folds.

    Where the training starts from another one's folds, each patient stays in the fold that left them out there; only
    patients that it did not know are dealt.

    Raises:
        SettingsError: If there are fewer patients than folds.
    """
    count = job.settings.folds
    if not count:
        return {}
    shares = {f"fold-{n}": 1 / count for n in range(count)}
    return _split(job, kept, shares, _left_out_before(job, shares))


def _left_out_before(job: Job, names: Iterable[str]) -> dict[str, str]:
    """Fold of each patient whom a fold left out in the training that this one starts from."""
    if not job.settings.start:
        return {}
    folders = {name: Path(job.settings.start) / name for name in names}
    fold_of = {slide: name for name, at in folders.items() if (at / CARD).is_file() for slide in read_card(at).held_out}
    return {ref.patient: fold_of[ref.slide] for ref in job.bank.refs if ref.slide in fold_of}


def train_and_validation(job: Job, kept: list[int]) -> tuple[list[int], list[int]]:
    """Tiles to train and to validate on, without folds.

    Raises:
        SettingsError: If the sources have no such parts, or there are fewer patients than parts.
    """
    if not {"train", "validation"} <= set(job.parts):
        raise SettingsError(
            f"the sources' parts {', '.join(job.parts)} lack train or validation", "name both, or set folds"
        )
    parts = _split(job, kept, job.parts)
    return parts["train"], parts["validation"]


def other_parts(parts: dict[str, list[int]], name: str) -> list[int]:
    """Tiles of all parts but one."""
    return [index for other, indices in parts.items() if other != name for index in indices]


def slides_in(job: Job, indices: Iterable[int]) -> set[str]:
    """Names of the slides that tiles are of."""
    return {job.bank.refs[index].slide for index in indices}


def first_network(job: Job, training: list[int], folder: Path) -> Network | None:
    """What the training in a folder starts from, or None for weights drawn by seed.

    A fold starts from the fold of the same name, and no training from a network that knows what it is judged on.

    Raises:
        SettingsError: If the network knows too much.
        WeightsError: If it is not there or damaged.
    """
    name = job.settings.start
    if not name:
        return None
    start = network_folder(name) if folder == job.folder else Path(name) / folder.name
    model, card = load(start)
    known = {slide for source in card.sources for slide in source.slides}
    leaked = (slides_in(job, range(len(job.bank.refs))) - slides_in(job, training)) & known
    if leaked:
        raise SettingsError(
            f"{start} was trained on {', '.join(sorted(leaked))}, which this training is judged on",
            "start from a network that left these slides out, or from none",
        )
    return model.network.train()


def _split(
    job: Job, kept: list[int], shares: Mapping[str, float], before: Mapping[str, str] | None = None
) -> dict[str, list[int]]:
    split = split_patients([job.bank.refs[index] for index in kept], shares, job.settings.seed, before)
    if not all(split[name] for name, share in shares.items() if share):
        raise SettingsError(f"too few patients for {len(shares)} parts", "name more sources or ask for fewer folds")
    return {name: [kept[place] for place in places] for name, places in split.items()}
