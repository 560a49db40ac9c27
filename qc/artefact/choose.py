"""Which artefact stage an assessment uses. In: settings. Out: the stage they ask for."""

from typing import Any

from qc.artefact.classical.stage import ClassicalStage
from qc.artefact.network.stage import NetworkStage
from qc.artefact.stage import ArtefactStage
from qc.config.assess import AssessSettings
from qc.errors import WeightsError
from qc.nets.packaged import network_folder
from qc.nets.session import session


def artefact_stage(settings: AssessSettings) -> ArtefactStage[Any]:
    """The stage that `settings` ask for.

    Raises:
        WeightsError: If they ask for a network that is not there, damaged, or for something else.
    """
    if settings.artefact.stage == "rules":
        return ClassicalStage(settings.classical)
    network = session(network_folder(settings.artefact.network), precision=settings.artefact.precision)
    if network.card.task != "artefact":
        raise WeightsError(
            f"{settings.artefact.network} is a network of the task {network.card.task}", "name one of the task artefact"
        )
    return NetworkStage(network, settings.artefact.halo_um)


def networks_in_force(settings: AssessSettings) -> tuple[str, ...]:
    """Fingerprints of all networks that `settings` name, that of tissue first.

    Raises:
        WeightsError: If one is not there or damaged.
    """
    networks = [session(network_folder(settings.tissue.network))] if settings.tissue.network else []
    if settings.artefact.stage == "network":
        networks.append(session(network_folder(settings.artefact.network), precision=settings.artefact.precision))
    return tuple(network.fingerprint for network in networks)
