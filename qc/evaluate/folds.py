"""Who may judge a slide: what never saw it. In: a stage, or the folds of `qc train`. Out: a stage for each slide."""

from pathlib import Path

from qc.artefact.network.stage import NetworkStage
from qc.artefact.stage import ArtefactStage
from qc.config.stage import StageSettings
from qc.errors import SettingsError
from qc.evaluate.cells import StageOf
from qc.nets.card import CARD
from qc.nets.packaged import network_of


def stage_by_slide(folds: Path | None, settings: StageSettings, otherwise: ArtefactStage) -> StageOf:
    """Which stage judges a slide by its name: a fold that left it out, or `otherwise` where it never saw it.

    Raises:
        SettingsError: See `stages_of_folds` and `unseen_only`.
    """
    return stages_of_folds(folds, settings, otherwise) if folds else unseen_only(otherwise)


def stages_of_folds(folder: Path, settings: StageSettings, otherwise: ArtefactStage) -> StageOf:
    """Which network judges a slide: the fold's that left it out.

    Args:
        folder: With a folder for each fold.
        settings: How networks are run.
        otherwise: For slides that no network was trained on.

    Raises:
        SettingsError: If there are no folds, or a slide was trained on by `otherwise` and left out by none.
    """
    networks = [
        network_of(str(path.parent), "artefact", settings.precision, settings.device)
        for path in sorted(folder.glob(f"fold-*/{CARD}"))
    ]
    if not networks:
        raise SettingsError(f"{folder} holds no fold-*/{CARD}", "train with `folds` and name the folder of qc train")
    by_slide = {slide: NetworkStage(one, settings.halo_um) for one in networks for slide in one.card.held_out}
    trained_on = {slide for one in networks for source in one.card.sources for slide in source.slides}

    def stage_of(slide: str) -> ArtefactStage:
        if slide in by_slide:
            return by_slide[slide]
        if slide in trained_on:
            raise SettingsError(f"every fold was trained on {slide}", "leave it out of the measurement")
        return otherwise

    return stage_of


def unseen_only(stage: ArtefactStage) -> StageOf:
    """The same stage for every slide, but a network for none that it was trained on."""

    def stage_of(slide: str) -> ArtefactStage:
        if isinstance(stage, NetworkStage) and any(slide in one.slides for one in stage.network.card.sources):
            raise SettingsError(
                f"{stage.name} was trained on {slide}, so it would not be measured but quizzed",
                "pass --folds, or settings with another stage",
            )
        return stage

    return stage_of
