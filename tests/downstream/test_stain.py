import numpy as np
import pytest
import torchstain

from qc.downstream.stain import LabLook, StainLook, normaliser, to_lab
from qc.optics.stain import HE_MACENKO, HE_RUIFROK, StainPair, render

Rgb = np.ndarray


def stained(pair: StainPair, strength: float, seed: int = 0, side: int = 64) -> Rgb:
    """Tissue of two stains in varied amounts, on glass here and there."""
    rng = np.random.default_rng(seed)
    amounts = rng.gamma(2.0, 0.25, (side * side, 2)) * strength
    amounts[: side * 4] = 0
    amounts[side * 4 : side * 12, 0] *= 0.05
    amounts[side * 12 : side * 20, 1] *= 0.05
    light = render(amounts.astype(np.float32), pair).reshape(side, side, 3)
    return np.clip(np.rint(light * 245), 0, 255).astype(np.uint8)


def test_reinhard_gives_the_target_s_mean_and_deviation() -> None:
    source, target = stained(HE_RUIFROK, 0.6), LabLook.of(stained(HE_MACENKO, 1.0, seed=1))

    out = LabLook.of(source).to(target, source)

    was_stained = to_lab(source)[..., 0] < 95
    lab = to_lab(out)[was_stained]
    np.testing.assert_allclose(lab.mean(axis=0), target.mean, atol=1.0)
    np.testing.assert_allclose(lab.std(axis=0), target.deviation, rtol=0.08)


def test_macenko_finds_the_stains_that_were_put_in() -> None:
    look = StainLook.of(stained(HE_RUIFROK, 1.0))

    # what is nearest to one stain alone, at the first and last centile, holds a little of the other
    cosines = np.sum(look.vectors * HE_RUIFROK.vectors, axis=1)
    assert (cosines > 0.985).all()


def test_macenko_agrees_with_torchstain() -> None:
    source, target = stained(HE_RUIFROK, 0.7), stained(HE_MACENKO, 1.1, seed=1)
    theirs = torchstain.normalizers.MacenkoNormalizer(backend="numpy")
    theirs.fit(target, Io=245)

    expected = np.asarray(theirs.normalize(source, Io=245, stains=False)[0])

    ours = StainLook.of(source).to(StainLook.of(target), source)
    assert np.abs(ours.astype(int) - expected.astype(int)).mean() < 3.0


@pytest.mark.parametrize("method", ["reinhard", "macenko"])
def test_slides_of_two_laboratories_come_to_look_alike(method: str) -> None:
    pale, dark = stained(HE_RUIFROK, 0.5)[None], stained(HE_MACENKO, 1.2, seed=2)[None]
    bring = normaliser(method, True, {"pale": pale}, {"dark": dark})  # type: ignore[arg-type]

    after = np.abs(bring(dark[0], "dark").mean((0, 1)) - bring(pale[0], "pale").mean((0, 1)))

    before = np.abs(dark[0].mean((0, 1)) - pale[0].mean((0, 1)))
    assert before.max() > 20
    assert after.max() < 6


def test_the_target_is_of_training_slides_alone() -> None:
    train = {"a": stained(HE_RUIFROK, 0.5)[None]}

    with_test = normaliser("reinhard", True, train, {"b": stained(HE_MACENKO, 1.3)[None]})

    alone = normaliser("reinhard", True, train, {})
    assert isinstance(with_test.target, LabLook)
    assert isinstance(alone.target, LabLook)
    np.testing.assert_array_equal(with_test.target.mean, alone.target.mean)
