"""Training of artefact networks. In: the settings and where the data is. Out: a job for `qc.train.run`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from qc.artefact.training import plan_sources
from qc.config.toml import load_settings
from qc.config.train import TrainSettings
from qc.config.training import TrainingSources
from qc.labels import ARTEFACTS, ArtefactClass
from qc.nets.card import SourceCard, Use
from qc.train.dataset import Ref
from qc.train.draw import Progress, draw_bank
from qc.train.fit import Machine
from qc.train.job import Job, Say
from qc.train.parts import check_patients, check_start

OUTPUTS = (ArtefactClass.CLEAN, *ARTEFACTS, ArtefactClass.GLASS)


def artefact_job(
    config: Path,
    root: Path,
    out: Path,
    tiles: Path,
    machine: Machine,
    throw_away: bool = False,
    say: Say = lambda _text: None,
    progress: Progress = lambda _done, _total: None,
) -> Job:
    """Plan the sources and draw the tiles.

    Args:
        config: TOML file of `TrainSettings`; its sources lie beside it.
        root: Folder that the sources' paths start from.
        out: Folder for what is written.
        tiles: Folder for the drawn tiles.
        machine: Where to train.
        throw_away: Allow sources that may only be measured on.
        say: Told about each step.
        progress: Told about tiles.

    Raises:
        SettingsError: If a file or a source cannot be used.
        SlideError: If an image cannot be read.
    """
    settings = load_settings(TrainSettings, config)
    path = config.parent / settings.sources
    sources = load_settings(TrainingSources, path)
    check_start(settings, OUTPUTS, sources.tissue_density)
    planned = plan_sources(sources, root, throw_away, path.parent)
    check_patients(planned.tiles, settings, planned.settings.parts)
    bank = draw_bank(planned, settings, tiles, machine.workers, progress)
    cards = source_cards(planned.settings.sources, bank.refs, [item.source.name for item in planned.items])
    density = planned.settings.tissue_density
    return Job("artefact", OUTPUTS, settings, cards, planned.settings.parts, bank, density, out, machine, say)


class Declared(Protocol):
    """A declared source of tiles."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def licence(self) -> str:
        """Licence of its pixels."""
        ...

    @property
    def use(self) -> Use:
        """What that allows."""
        ...


def source_cards(
    sources: Sequence[Declared], refs: Sequence[Ref], source_of_item: Sequence[str]
) -> tuple[SourceCard, ...]:
    """Cards of the sources, with the slides that their tiles come from."""
    return tuple(
        SourceCard(name=one.name, licence=one.licence, use=one.use, slides=slides_of(refs, source_of_item, one.name))
        for one in sources
    )


def slides_of(refs: Sequence[Ref], source_of_item: Sequence[str], name: str) -> tuple[str, ...]:
    """Slides of all tiles that come from the source `name`."""
    return tuple(sorted({ref.slide for ref in refs if source_of_item[ref.item] == name}))
