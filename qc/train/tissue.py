"""Training of tissue networks. In: the settings and where the overviews are. Out: a job for `qc.train.run`."""

from pathlib import Path

from qc.config.tissue_training import TissueTrainingSources
from qc.config.toml import load_settings
from qc.config.train import TrainSettings
from qc.labels import ArtefactClass
from qc.nets.card import SourceCard
from qc.tissue.training import plan_tissue_sources
from qc.train.artefact import slides_of, source_cards
from qc.train.draw import Progress, draw_tissue_bank
from qc.train.fit import Machine
from qc.train.job import Job, Say
from qc.train.parts import check_start

OUTPUTS = (ArtefactClass.CLEAN, ArtefactClass.GLASS)
_PHANTOMS = "phantoms"


def tissue_job(
    config: Path,
    root: Path,
    out: Path,
    tiles: Path,
    machine: Machine,
    throw_away: bool = False,
    say: Say = lambda _text: None,
    progress: Progress = lambda _done, _total: None,
) -> Job:
    """Plan the overviews and draw the tiles; see `qc.train.artefact.artefact_job`."""
    settings = load_settings(TrainSettings, config)
    check_start(settings, OUTPUTS, None)
    path = config.parent / settings.sources
    planned = plan_tissue_sources(load_settings(TissueTrainingSources, path), root, throw_away)
    bank = draw_tissue_bank(planned, settings, tiles, machine.workers, progress)
    names = [one.source for one in planned.overviews]
    cards = source_cards(planned.settings.sources, bank.refs, names)
    if _PHANTOMS in names:
        drawn = slides_of(bank.refs, names, _PHANTOMS)
        cards += (SourceCard(name=_PHANTOMS, licence="Apache-2.0", use="train", slides=drawn),)
    return Job("tissue", OUTPUTS, settings, cards, planned.settings.parts, bank, None, out, machine, say)
