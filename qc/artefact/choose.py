"""Which artefact stage an assessment uses. In: settings. Out: the stage they ask for."""

from typing import Any

from qc.artefact.classical.stage import ClassicalStage
from qc.artefact.stage import ArtefactStage
from qc.config.assess import AssessSettings


def artefact_stage(settings: AssessSettings) -> ArtefactStage[Any]:
    """The stage that `settings` ask for."""
    return ClassicalStage(settings.classical)
