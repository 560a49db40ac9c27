"""An ablation of tiny networks on drawn tiles, and its parts."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from qc.ablate.blocks import BlockLabels
from qc.ablate.claims import claims, pairs_of
from qc.ablate.design import base_point, plan_points, training_of
from qc.ablate.experiment import ablation, write_ablation
from qc.ablate.judge import score_maps
from qc.ablate.measure import compared, measured, measures, tpr, units_of
from qc.ablate.network import VariedNetwork, build_varied
from qc.ablate.run import Experiment
from qc.ablate.tally import BINS, HALF, SlideTally, auroc, first_bin_at_tnr, histogram
from qc.ablate.tiles import choose_tiles, training_tiles
from qc.artefact.training import IGNORE, TileRef
from qc.artefact.training.cells import WeakLabel
from qc.config.ablate import AblateSettings
from qc.config.toml import load_settings
from qc.config.train import NetworkSettings, TrainSettings
from qc.config.training import LabelNoiseSettings
from qc.geometry import Window
from qc.labels import ARTEFACTS, ArtefactClass
from qc.train.bank import PartOfBank, TileBank
from qc.train.fit import Machine

CLEAN, FOLD, PEN, GLASS = ArtefactClass.CLEAN, ArtefactClass.FOLD, ArtefactClass.PEN, ArtefactClass.GLASS
OUTPUTS = (CLEAN, *ARTEFACTS, GLASS)
SIDE_PX = 64
SMALL = NetworkSettings(pyramid_channels=32, segmentation_channels=32)
TINY = {
    "training": "unused.toml",
    "networks": {"small": SMALL, "large": NetworkSettings(pyramid_channels=64, segmentation_channels=32)},
    "levels": {"sampling": ["random", 0.75], "mpp": [1.0, 2.0], "seed": [1]},
    "batch_tiles": 4,
    "batches": 2,
    "epochs": 1,
    "window_um": 32.0,
    "test": {"repeats": 20},
}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> TileBank:
    """Five slides with 4 clean tiles, 5 with a blue square of composed pen and 2 with a weak label each."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("bank")
    refs, pixels, classes = [], [], []
    for slide in range(5):
        for number in range(11):
            is_composed, is_weak = 4 <= number < 9, number >= 9
            rgb = rng.integers(150, 220, (SIDE_PX, SIDE_PX, 3)).astype(np.uint8)
            truth = np.full((SIDE_PX, SIDE_PX), IGNORE if is_weak else CLEAN, np.uint8)
            if is_composed:
                rgb[16:48, 16:48] = (20, 40, 200)
                truth[16:48, 16:48] = PEN
            label = frozenset({PEN}) if is_composed or number == 9 else frozenset()
            window, name = Window(0, 0, SIDE_PX, SIDE_PX), f"slide-{slide}"
            ref = TileRef(slide, window, name, name, name, label, composable=False, is_composed=is_composed)
            refs.append(replace(ref, weak=WeakLabel(label, frozenset({CLEAN, GLASS}) | label)) if is_weak else ref)
            pixels.append(rgb)
            classes.append(truth)
    np.save(folder / "pixels.npy", np.stack(pixels))
    np.save(folder / "classes.npy", np.stack(classes))
    (folder / "tiles.json").write_text(json.dumps({"fingerprint": "drawn", "tiles": len(refs)}))
    return TileBank(folder, tuple(refs), 1.0)


@pytest.fixture
def experiment(bank: TileBank, tmp_path: Path) -> Experiment:
    settings = AblateSettings.model_validate(TINY)
    tiles = choose_tiles(bank, settings, 1)
    shown = (tiles.test[0], tiles.test[-1])
    training = TrainSettings(sources="unused.toml", network=SMALL)
    machine = Machine("cpu", 1, workers=0, quiet=True)
    return Experiment(settings, training, OUTPUTS, bank, tiles, shown, tmp_path / "runs", machine)


def tally(clean: list[float], pen: list[float], slide: str = "a") -> SlideTally:
    cells = {one: np.zeros(BINS, np.int64) for one in ARTEFACTS}
    cells |= {CLEAN: histogram(np.array(clean)), PEN: histogram(np.array(pen))}
    return SlideTally(slide, cells, (histogram(np.array([0.1])), histogram(np.array([0.9]))))


def test_an_ablation_writes_a_report_a_figure_and_pictures_and_trains_nothing_twice(
    experiment: Experiment, tmp_path: Path
) -> None:
    said: list[str] = []
    report = tmp_path / "reports" / "ablation.md"

    results = [run() for run in ablation(experiment, with_noise=False, say=said.append)]
    again = [run() for run in ablation(experiment, with_noise=False, say=said.append)]
    paths = write_ablation(results, experiment, "qc ablate", report)

    assert len(said) == len(results) == 6
    assert all((a.maps == b.maps).all() for a, b in zip(results, again, strict=True))
    assert [path.stat().st_size > 500 for path in paths] == [True] * 3
    text = report.read_text()
    for word in (
        "| random | segmentation | 1 | small | 1 |",
        "detection",
        "| 50 % | 75 % |",
        "images/ablation/runs.svg",
    ):
        assert word in text
    assert any(verdict in text for verdict in ("**confirmed**", "**refuted**", "**undecided**"))


def test_one_at_a_time_differs_from_the_base_in_one_choice_and_full_holds_all_combinations() -> None:
    path = Path(__file__).parents[2] / "datasets" / "ablation.toml"
    settings = load_settings(AblateSettings, path)

    points = plan_points(settings)
    with_noise = plan_points(settings, with_noise=True)
    full = plan_points(settings.model_copy(update={"design": "full"}))

    base = base_point(settings)
    assert points[0] == base
    assert len(points) == 10
    assert all(sum(a != b for a, b in zip(vars(p).values(), vars(base).values(), strict=True)) == 1 for p in points[1:])
    assert len(with_noise) == 10 + len(settings.noise)
    assert len(full) == 4 * 2 * 4 * 2 + 1
    assert len({point.name for point in (*full, *with_noise)}) == len({*full, *with_noise})


def test_a_run_changes_only_what_its_point_says() -> None:
    settings = AblateSettings.model_validate({**TINY, "noise": [{"name": "positives", "only_positive": True}]})
    training = TrainSettings(sources="unused.toml", hold_out=("a",), folds=3)
    base = base_point(settings)

    rare = training_of(replace(base, sampling="random"), settings, training)
    only = training_of(replace(base, noise="positives"), settings, training)

    assert (rare.sampling.artefact_share, only.sampling.artefact_share) == (None, 1.0)
    assert rare.augment == training.augment
    assert rare.compose == training.compose
    assert only.noise.only_positive
    assert not rare.folds


def test_test_slides_train_nothing_and_weak_tiles_are_only_judged(bank: TileBank) -> None:
    tiles = choose_tiles(bank, AblateSettings.model_validate(TINY), 1)

    def slides(indices: tuple[int, ...]) -> set[str]:
        return {bank.refs[index].slide for index in indices}

    assert slides(tiles.train).isdisjoint(slides((*tiles.test, *tiles.real)))
    assert all(bank.refs[index].weak is None for index in (*tiles.train, *tiles.test))
    assert not any(bank.refs[index].is_composed for index in tiles.real)
    assert any(bank.refs[index].classes for index in tiles.real)


def test_spoilt_labels_are_the_same_each_time_and_pixels_stay(bank: TileBank) -> None:
    tiles = choose_tiles(bank, AblateSettings.model_validate(TINY), 1)
    exact = training_tiles(bank, tiles.train, LabelNoiseSettings(), 1)
    missing = training_tiles(bank, tiles.train, LabelNoiseSettings(missing=1.0), 1)
    shifted = training_tiles(bank, tiles.train, LabelNoiseSettings(shifted_um=5.0), 1)
    positive = training_tiles(bank, tiles.train, LabelNoiseSettings(only_positive=True), 1)
    place = next(i for i, ref in enumerate(exact.refs) if ref.classes)

    first, second = (shifted.read(place, CLEAN, draw) for draw in (0, 1))
    assert (first.classes == second.classes).all()
    assert (first.classes != exact.read(place, CLEAN, 0).classes).any()
    assert (first.rgb == exact.read(place, CLEAN, 0).rgb).all()
    assert not (missing.read(place, CLEAN, 0).classes == PEN).any()
    assert all(ref.classes for ref in positive.refs)


def test_blocks_show_an_artefact_from_a_share_of_their_tissue_on() -> None:
    classes = np.full((8, 16), CLEAN, np.uint8)
    classes[0, 0:4] = PEN  # 4 of 64
    classes[:, 8:] = GLASS
    classes[0:2, 8:12] = FOLD  # 8, and no clean tissue

    assert BlockLabels(0.05)(classes, 8).tolist() == [[PEN, FOLD]]
    assert BlockLabels(0.1)(classes, 8).tolist() == [[CLEAN, FOLD]]
    classes[:4] = IGNORE
    assert (BlockLabels(0.1)(classes, 8) == IGNORE).all()


@pytest.mark.parametrize(("reduction", "window_px"), [(1, None), (2, None), (1, 64), (4, 32)])
def test_a_varied_network_gives_one_decision_for_each_stride(reduction: int, window_px: int | None) -> None:
    network = build_varied(SMALL, 7, reduction, window_px, seed=1).eval()

    logits = network(torch.randint(0, 256, (2, 128, 128, 3), dtype=torch.uint8))

    assert logits.shape == (2, 7, 128 // network.stride, 128 // network.stride)
    assert network.stride == (window_px or 4 * reduction)


def test_a_window_of_detection_is_judged_by_its_own_pixels() -> None:
    network = build_varied(SMALL, 7, 1, 64, seed=1).eval()
    rgb = torch.randint(0, 256, (2, 128, 128, 3), dtype=torch.uint8)

    together = network(rgb)

    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        alone = network(rgb[:, 64 * row : 64 * row + 64, 64 * column : 64 * column + 64])
        torch.testing.assert_close(together[:, :, row, column], alone[:, :, 0, 0], rtol=1e-4, atol=1e-5)


def test_scores_of_overlapping_windows_are_averaged(bank: TileBank) -> None:
    class ByRed(VariedNetwork):
        """An artefact is as sure as the window is red."""

        def forward(self, rgb: torch.Tensor) -> torch.Tensor:
            logits = torch.full((len(rgb), 7, 1, 1), -20.0)
            logits[:, 0] = 0.0
            logits[:, 1, 0, 0] = rgb[..., 0].float().mean(dim=(1, 2)) - 128
            return logits

    network = ByRed(SMALL, 7, 1, 32)
    part = PartOfBank(bank, (0, 4))  # clean, and with a square without red

    maps = score_maps(network, part, OUTPUTS, 16)

    assert maps.shape == (2, 4, 4)
    assert maps[0].min() > 0.99
    assert maps[1, 1, 1] < maps[1, 0, 1] < maps[1, 0, 0]  # 1 of 4, 1 of 2 and all windows hold half the square at most


def test_histograms_give_the_rates_of_the_scores_themselves() -> None:
    rng = np.random.default_rng(2)
    clean, pen = rng.beta(2, 5, 4000), rng.beta(4, 3, 3000)
    made = tally(clean.tolist(), pen.tolist())

    counts = made.counts(HALF)

    assert (counts.fp, counts.tp) == ((clean >= 0.5).sum(), (pen >= 0.5).sum())
    truth = np.repeat([0, 1], (4000, 3000))
    assert auroc(made.clean, made.spoilt) == pytest.approx(roc_auc_score(truth, np.r_[clean, pen]), abs=2e-3)
    first = first_bin_at_tnr(made.clean, 0.95)
    assert made.counts(first).tnr >= 0.95 > made.counts(first - 1).tnr
    assert SlideTally.from_json(json.loads(json.dumps(made.as_json()))).counts(HALF) == counts


def test_rates_are_restated_at_the_named_prevalence() -> None:
    units = units_of([tally([0.1] * 80 + [0.9] * 20, [0.9] * 90 + [0.1] * 10)])

    found = {name: measure(units) for name, measure in measures(0.1).items()}

    assert found["TPR"] == pytest.approx(0.9)
    assert found["TNR"] == pytest.approx(0.8)
    assert found["accuracy"] == pytest.approx(0.81)
    assert found["PPV"] == pytest.approx(0.09 / (0.09 + 0.18))
    assert found["NPV"] == pytest.approx(0.72 / (0.72 + 0.01))


def test_intervals_of_differences_hold_slides_together() -> None:
    low = [tally([0.1], [0.9] * n + [0.1] * (10 - n), f"{n}") for n in (1, 3, 5, 7)]
    high = [tally([0.1], [0.9] * (n + 2) + [0.1] * (8 - n), f"{n}") for n in (1, 3, 5, 7)]

    alone = measured(units_of(low), tpr, 200)
    difference = compared([units_of(low), units_of(high)], lambda runs: tpr(runs[1]) - tpr(runs[0]), 200)

    assert alone.high - alone.low > 0.2
    assert (difference.value, difference.low, difference.high) == pytest.approx((0.2, 0.2, 0.2))


def test_claims_follow_the_figures_and_say_when_they_cannot() -> None:
    base = base_point(AblateSettings.model_validate(TINY))
    shares = {"random": 0.2, 0.5: 0.6, 0.75: 0.8}
    runs = {
        replace(base, sampling=sampling): units_of(
            [
                tally([0.9] * int(10 * share) + [0.1] * 90, [0.9] * int(10 * share) + [0.1] * 10, f"{n}")
                for n in range(3)
            ]
        )
        for sampling, share in shares.items()
    }

    found = claims(runs, base, 50)

    assert [one.verdict for one in found[:3]] == ["confirmed", "confirmed", "not measured"]
    assert len(pairs_of(runs, "sampling", "random", 0.75)) == 1
