import numpy as np

from qc.phantom.compartment import Compartment
from qc.phantom.follicles import lay_follicles
from qc.phantom.plan import PLAN_UM, noise
from qc.phantom.spec import FollicleSpec

LYMPHOMA = FollicleSpec.model_validate({})
HYPERPLASIA = FollicleSpec.model_validate(
    {"crowding": 0.35, "radius_um": 200, "radius_spread": 0.35, "irregularity": 0.3, "mantle_um": 45}
    | {"is_polarised": True}
)


def laid(spec: FollicleSpec, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    labels = np.full((700, 900), Compartment.PARACORTEX, np.uint8)
    labels[:40] = Compartment.GLASS
    where = np.zeros(labels.shape, np.bool_)
    where[60:-30, 30:-30] = True
    lay_follicles(labels, where, spec, PLAN_UM, noise, np.random.default_rng(seed))
    return labels, where


def share(labels: np.ndarray, where: np.ndarray, *compartments: Compartment) -> float:
    return float(np.isin(labels[where], compartments).mean())


def test_follicles_of_lymphoma_lie_back_to_back_and_those_of_hyperplasia_apart() -> None:
    lymphoma, where = laid(LYMPHOMA)
    hyperplasia, _ = laid(HYPERPLASIA)

    assert share(lymphoma, where, Compartment.FOLLICLE) > 0.55
    assert share(hyperplasia, where, Compartment.LIGHT_ZONE, Compartment.DARK_ZONE) < 0.45


def test_only_follicles_of_hyperplasia_have_zones_and_wide_mantles() -> None:
    lymphoma, where = laid(LYMPHOMA)
    hyperplasia, _ = laid(HYPERPLASIA)

    assert share(lymphoma, where, Compartment.LIGHT_ZONE, Compartment.DARK_ZONE) == 0
    assert share(hyperplasia, where, Compartment.FOLLICLE) == 0
    centres = share(hyperplasia, where, Compartment.LIGHT_ZONE, Compartment.DARK_ZONE)
    assert share(hyperplasia, where, Compartment.MANTLE) / centres > 0.3
    assert share(lymphoma, where, Compartment.MANTLE) / share(lymphoma, where, Compartment.FOLLICLE) < 0.15


def test_mimics_look_like_the_other_disease_inside() -> None:
    mixed, where = laid(LYMPHOMA.model_copy(update={"mimics": 0.4}))

    polarised = share(mixed, where, Compartment.LIGHT_ZONE, Compartment.DARK_ZONE)
    assert 0.1 < polarised < share(mixed, where, Compartment.FOLLICLE)


def test_nothing_is_painted_where_follicles_may_not_lie() -> None:
    labels, where = laid(HYPERPLASIA)

    assert set(np.unique(labels[~where]).tolist()) == {Compartment.GLASS, Compartment.PARACORTEX}
