"""Which artefact stage an assessment uses. In: settings. Out: the stage they ask for."""

from typing import Any

from qc.artefact.classical.stage import ClassicalStage
from qc.artefact.network.stage import NetworkStage
from qc.artefact.stage import ArtefactStage
from qc.config.assess import AssessSettings
from qc.nets.packaged import network_of
from qc.nets.session import Session


def artefact_stage(settings: AssessSettings) -> ArtefactStage[Any]:
    """The stage that `settings` ask for.

    Raises:
        WeightsError: If they ask for a network that is not there, damaged, or for something else.
    """
    if settings.artefact.stage == "rules":
        return ClassicalStage(settings.classical)
    return NetworkStage(_network(settings), settings.artefact.halo_um)


def networks_in_force(settings: AssessSettings) -> tuple[str, ...]:
    """Fingerprints of all networks that `settings` name, that of tissue first.

    Raises:
        WeightsError: If one is not there, damaged, or for something else.
    """
    networks = [network_of(settings.tissue.network, "tissue")] if settings.tissue.network else []
    if settings.artefact.stage == "network":
        networks.append(_network(settings))
    return tuple(network.fingerprint for network in networks)


def _network(settings: AssessSettings) -> Session:
    told = settings.artefact
    return network_of(told.network, "artefact", told.precision, told.device)
