import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from qc.config.train import OperatingSettings
from qc.errors import SettingsError
from qc.labels import ARTEFACTS, ArtefactClass
from qc.metrics.ranking import reliability
from qc.train.calibrate import Calibration, calibrate, find_thresholds, fit_temperature, prior_shift

ORDER = (ArtefactClass.CLEAN, *ARTEFACTS, ArtefactClass.GLASS)
TISSUE = np.array([one is not ArtefactClass.GLASS for one in ORDER])
KINDS = np.array([one in ARTEFACTS for one in ORDER])
BALANCED = np.array([0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])


def cells(share: NDArray[np.float64], count: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Classes with the given shares, and logits of a network that knows exactly how sure to be among `BALANCED`."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(len(ORDER), count, p=share)
    seen = rng.normal(size=(count, len(ORDER)))
    seen[np.arange(count), classes] += 2.0
    evidence = 2.0 * seen  # log likelihood of unit normals two apart, up to a constant
    return log_softmax(evidence + np.log(BALANCED), axis=1).astype(np.float32), classes


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_spoilt_logits_is_found(temperature: float) -> None:
    logits, classes = cells(BALANCED, 20_000)

    assert fit_temperature(logits * temperature, classes) == pytest.approx(temperature, rel=0.05)


def test_corrected_probabilities_have_the_true_prevalence() -> None:
    prevalence = 0.075
    _logits, sampled = cells(BALANCED, 20_000)
    prior = prior_shift(np.bincount(sampled, minlength=len(ORDER)), ORDER, prevalence)
    true = np.where(KINDS, 0.9 * prevalence / KINDS.sum(), np.where(TISSUE, 0.9 * (1 - prevalence), 0.1))

    unseen, classes = cells(true, 60_000, seed=1)
    p = Calibration(1.0, tuple(prior), {}).probabilities(unseen)

    assert p[:, KINDS].sum(axis=1).mean() == pytest.approx(0.9 * prevalence, rel=0.05)
    assert p[:, -1].mean() == pytest.approx(0.1, rel=0.05)
    assert softmax(unseen, axis=1)[:, KINDS].sum(axis=1).mean() > 0.09  # uncorrected, artefacts are seen everywhere
    bins = [one for one in reliability(classes == 1, p[:, 1]) if one[2] > 100]
    assert all(mean == pytest.approx(share, abs=0.08) for mean, share, _count in bins)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=7, max_size=7), st.floats(0.001, 0.5))
def test_true_shares_add_up_to_one_and_glass_keeps_its_own(counts: list[int], prevalence: float) -> None:
    shift = prior_shift(np.array(counts), ORDER, prevalence)

    seen = [count for count in counts[1:6] if count]
    common = np.mean(seen) if seen else 1
    filled = np.array([max(counts[0], 1), *(count or common for count in counts[1:6]), max(counts[6], 1)])
    true = np.exp(shift) * filled / filled.sum()
    assert true.sum() == pytest.approx(1)
    assert shift[-1] == pytest.approx(0)
    assert true[1:6].sum() / true[:6].sum() == pytest.approx(prevalence)


def test_an_artefact_that_was_never_seen_is_not_favoured_for_it() -> None:
    shift = prior_shift(np.array([5000, 400, 400, 0, 400, 400, 1000]), ORDER, 0.075)

    assert shift[3] == pytest.approx(shift[2])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0.9, 0.95, 0.98, 0.999]), st.integers(1, 4))
def test_thresholds_leave_the_wanted_share_of_clean_tissue_alone(seed: int, tnr: float, slides: int) -> None:
    rng = np.random.default_rng(seed)
    logits, classes = cells(BALANCED, 3000, seed)
    logits = np.round(logits, 1)  # equal values, too
    sizes = 10.0 ** -np.arange(slides)
    names = np.array([f"slide-{i}" for i in rng.choice(slides, 3000, p=sizes / sizes.sum())])
    logits[names != "slide-0", 1] += 2  # all slides but the largest look a little like folds; each counts alike
    is_real = rng.random(3000) < 0.7

    found = calibrate(logits, classes, names, is_real, ORDER, OperatingSettings(tnr=tnr))

    p = found.probabilities(logits)
    limits = np.array([found.thresholds.get(one, np.inf) for one in ORDER])
    kinds = np.flatnonzero(KINDS)
    is_called = p[:, kinds].sum(axis=1) >= limits[kinds[p[:, kinds].argmax(axis=1)]]
    is_clean = (classes == 0) & is_real
    per_slide = [1 - is_called[is_clean & (names == one)].mean() for one in np.unique(names[is_clean])]
    assert np.mean(per_slide) >= tnr - 1e-9
    assert set(found.thresholds) == set(ARTEFACTS)
    assert all(OperatingSettings().suspicion_min <= value <= 1 for value in found.thresholds.values())


def test_what_may_be_called_falsely_goes_where_it_finds_most() -> None:
    rng = np.random.default_rng(0)
    clean = np.concatenate([rng.uniform(0, 0.1, 900), rng.uniform(0.3, 0.6, 100)])  # a tenth looks like folds
    folds, pens = rng.uniform(0.3, 0.9, 500), rng.uniform(0.9, 1.0, 500)
    p = np.zeros((2000, len(ORDER)))
    p[:1000, 1], p[1000:1500, 1], p[1500:, 3] = clean, folds, pens
    weights = np.concatenate([np.full(1000, -1e-3), np.full(1000, 2e-3)])

    found = find_thresholds(p, weights, ORDER, 0.95, 0.05)

    fold = found[ArtefactClass.FOLD]
    assert np.mean(clean >= fold) == pytest.approx(0.05, abs=0.01)  # all of it, for pens need none
    assert found[ArtefactClass.PEN] <= 0.9


def test_without_clean_tissue_there_is_nothing_to_find_thresholds_on() -> None:
    logits, classes = cells(BALANCED, 100)
    names = np.array(["a"] * 100)

    with pytest.raises(SettingsError, match="no clean tissue was left"):
        calibrate(logits, classes, names, np.zeros(100, bool), ORDER, OperatingSettings())
    with pytest.raises(SettingsError, match="no clean tissue was left"):
        calibrate(logits[:0], classes[:0], names[:0], np.ones(0, bool), ORDER, OperatingSettings())


def test_reliability_counts_every_cell_once() -> None:
    p = np.array([0.0, 0.05, 0.95, 1.0, 1.0])

    rows = reliability(np.array([False, True, True, True, False]), p)

    assert rows == [(pytest.approx(0.025), 0.5, 2), (pytest.approx(2.95 / 3), pytest.approx(2 / 3), 3)]
    assert reliability(np.zeros(0, bool), np.zeros(0)) == []
