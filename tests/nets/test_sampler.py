from collections import Counter
from dataclasses import dataclass

import pytest
from scipy import stats

from qc.labels import ARTEFACTS, ArtefactClass
from qc.nets.sampler import BalancedBatches, Draw

FOLD, PEN = ArtefactClass.FOLD, ArtefactClass.PEN
LEAST_P = 1e-4  # of a fair sampler failing by chance, with fixed seeds: once and for all


@dataclass(frozen=True)
class Tile:
    slide: str
    classes: frozenset[ArtefactClass] = frozenset()
    composable: bool = False
    is_composed: bool = False
    weak: str | None = None


def tiles() -> list[Tile]:
    """Slides of very different sizes; folds are common, pen is rare."""
    made = [Tile(f"clean-{i % 3 if i < 90 else 3}") for i in range(900)]
    made += [Tile(f"fold-{0 if i < 180 else 1}", frozenset({FOLD})) for i in range(200)]
    made += [Tile("pen-0", frozenset({PEN})) for _ in range(5)]
    made += [Tile("pen-1", frozenset({PEN, FOLD})) for _ in range(2)]
    return made


def draws(sampler: BalancedBatches) -> list[Draw]:
    return [draw for batch in sampler for draw in batch]


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_the_share_of_artefacts_holds_in_every_batch(share: float) -> None:
    made = tiles()

    for batch in BalancedBatches(made, batch_tiles=8, batches=50, artefact_share=share):
        assert sum(bool(made[draw.index].classes) for draw in batch) == 8 * share
        assert all((draw.label in ARTEFACTS) == bool(made[draw.index].classes) for draw in batch)


def test_a_share_that_does_not_divide_the_batch_holds_over_many() -> None:
    made = tiles()
    sampler = BalancedBatches(made, batch_tiles=3, batches=40, artefact_share=0.25)

    counts = [sum(draw.label in ARTEFACTS for draw in batch) for batch in sampler]

    assert set(counts) == {0, 1}
    assert sum(counts) == 30


def test_classes_and_slides_are_equally_likely_within_artefacts() -> None:
    made = tiles()
    drawn = draws(BalancedBatches(made, batch_tiles=16, batches=500, artefact_share=0.75, seed=3))
    artefacts = [draw for draw in drawn if draw.label in ARTEFACTS]

    labels = Counter(draw.label for draw in artefacts)
    pens = Counter(made[draw.index].slide for draw in artefacts if draw.label is PEN)
    folds = Counter(made[draw.index].slide for draw in artefacts if draw.label is FOLD)

    assert len(labels) == 2
    assert stats.chisquare(list(labels.values())).pvalue > LEAST_P
    assert len(pens) == 2
    assert stats.chisquare(list(pens.values())).pvalue > LEAST_P
    assert len(folds) == 3
    assert stats.chisquare(list(folds.values())).pvalue > LEAST_P


def test_clean_tiles_are_balanced_over_slides() -> None:
    made = tiles()
    drawn = draws(BalancedBatches(made, batch_tiles=16, batches=250, artefact_share=0.25, seed=4))

    slides = Counter(made[draw.index].slide for draw in drawn if draw.label is ArtefactClass.CLEAN)

    assert len(slides) == 4
    assert stats.chisquare(list(slides.values())).pvalue > LEAST_P


def test_without_a_share_tiles_come_as_they_are() -> None:
    made = tiles()
    drawn = draws(BalancedBatches(made, batch_tiles=16, batches=400, artefact_share=None, seed=5))

    artefacts = sum(bool(made[draw.index].classes) for draw in drawn)

    assert stats.binomtest(artefacts, len(drawn), 207 / 1107).pvalue > LEAST_P
    assert stats.binomtest(artefacts, len(drawn), 0.25).pvalue < LEAST_P  # the bound would notice balancing


def test_clean_tissue_is_drawn_for_every_class_alike() -> None:
    made = [Tile(f"slide-{i % 7}", composable=True) for i in range(70)]
    balanced = draws(BalancedBatches(made, batch_tiles=10, batches=400, artefact_share=0.5, seed=6))
    natural = draws(BalancedBatches(made, batch_tiles=10, batches=400, artefact_share=None, seed=6))

    labels = Counter(draw.label for draw in balanced if draw.label in ARTEFACTS)
    composed = sum(draw.label in ARTEFACTS for draw in natural)

    assert set(labels) == set(ARTEFACTS)
    assert stats.chisquare(list(labels.values())).pvalue > LEAST_P
    assert stats.binomtest(composed, len(natural), 0.075).pvalue > LEAST_P


def test_draws_depend_on_seed_and_epoch_only() -> None:
    made = tiles()
    sampler, again = (BalancedBatches(made, 8, 20, seed=1) for _ in range(2))
    first, second = draws(sampler), draws(again)
    sampler.set_epoch(1)

    assert first == second
    assert [d.index for d in draws(sampler)] != [d.index for d in first]
    assert [d.index for d in draws(BalancedBatches(made, 8, 20, seed=2))] != [d.index for d in first]
    numbers = {draw.number for draw in first} | {draw.number for draw in draws(sampler)}
    assert len(numbers) == 2 * 8 * 20


def test_annotated_tiles_have_labelled_pixels_as_often_as_not_however_many_there_are() -> None:
    made = [Tile(f"slide-{i % 4}", frozenset({FOLD}), is_composed=True) for i in range(400)]
    made += [Tile(f"slide-{i % 9}", frozenset({FOLD}), weak="folded somewhere") for i in range(90)]
    made += [Tile("outlined", frozenset({FOLD}))]
    sampler = BalancedBatches(made, batch_tiles=16, batches=250, artefact_share=1.0, annotated_share=0.2, seed=7)

    drawn = [made[draw.index] for draw in draws(sampler)]

    exact, weak = (sum(not tile.is_composed and (tile.weak is None) == is_exact for tile in drawn)
                   for is_exact in (True, False))  # fmt: skip
    assert stats.binomtest(exact, len(drawn), 0.1).pvalue > LEAST_P
    assert stats.binomtest(weak, len(drawn), 0.1).pvalue > LEAST_P


@pytest.mark.parametrize("world", [1, 2, 3])
def test_processes_share_one_stream(world: int) -> None:
    made = tiles()
    alone = list(BalancedBatches(made, 8, 24, artefact_share=0.5, seed=9))

    shared = [list(BalancedBatches(made, 8, 24, 0.5, seed=9, rank=rank, world=world)) for rank in range(world)]

    assert {len(part) for part in shared} == {24 // world}
    assert [shared[step % world][step // world] for step in range(24)] == alone


@pytest.mark.parametrize(
    ("made", "share"), [([], 0.5), ([Tile("a")], 0.5), ([Tile("a", frozenset({PEN}))], 0.5), ([Tile("a")], 1.5)]
)
def test_shares_that_cannot_be_filled_are_errors(made: list[Tile], share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        BalancedBatches(made, 8, 4, artefact_share=share)


def test_kept_composed_tiles_come_as_rarely_as_artefacts_do() -> None:
    made = [Tile(f"slide-{i % 4}") for i in range(400)]
    made += [Tile(f"slide-{i % 4}", frozenset({FOLD}), is_composed=True) for i in range(1200)]
    sampler = BalancedBatches(made, batch_tiles=16, batches=250, artefact_share=None, composed_share=0.1, seed=6)

    artefacts = sum(bool(made[draw.index].classes) for draw in draws(sampler))

    assert stats.binomtest(artefacts, 4000, 0.1).pvalue > LEAST_P


def kept_tiles() -> list[Tile]:
    """A bank: clean tiles, many composed folds and pens, few annotated folds of two slides, no annotated pen."""
    made = [Tile(f"clean-{i % 2}") for i in range(40)]
    made += [Tile(f"clean-{i % 2}", frozenset({FOLD}), is_composed=True) for i in range(300)]
    made += [Tile(f"clean-{i % 2}", frozenset({PEN}), is_composed=True) for i in range(300)]
    made += [Tile("fold-0", frozenset({FOLD})) for _ in range(18)]
    return [*made, Tile("fold-1", frozenset({FOLD})), Tile("fold-1", frozenset({FOLD}))]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 1.0])
def test_annotated_tiles_have_their_share_where_there_are_any(share: float) -> None:
    made = kept_tiles()
    drawn = draws(BalancedBatches(made, 16, 250, artefact_share=0.5, seed=7, annotated_share=share))

    folds = [made[draw.index] for draw in drawn if draw.label is FOLD]
    pens = [made[draw.index] for draw in drawn if draw.label is PEN]
    annotated = Counter(tile.slide for tile in folds if not tile.is_composed)

    assert stats.binomtest(annotated.total(), len(folds), share).pvalue > LEAST_P
    assert all(tile.is_composed for tile in pens)  # nothing else to draw
    assert stats.binomtest(len(folds), len(folds) + len(pens), 0.5).pvalue > LEAST_P
    if share:
        assert len(annotated) == 2  # one slide has nine times the tiles of the other
        assert stats.chisquare(list(annotated.values())).pvalue > LEAST_P


def test_left_alone_annotated_tiles_come_by_the_number_of_their_slides() -> None:
    made = kept_tiles()
    drawn = draws(BalancedBatches(made, 16, 250, artefact_share=0.5, seed=8, annotated_share=None))

    folds = Counter(made[draw.index].slide for draw in drawn if draw.label is FOLD)

    assert set(folds) == {"clean-0", "clean-1", "fold-0", "fold-1"}
    assert stats.chisquare(list(folds.values())).pvalue > LEAST_P


def test_composed_tiles_are_never_taken_for_clean_ones() -> None:
    made = kept_tiles()

    for share in (0.5, None):
        drawn = draws(BalancedBatches(made, 16, 60, artefact_share=share, seed=9, annotated_share=0.3))
        assert all((draw.label is ArtefactClass.CLEAN) == (not made[draw.index].classes) for draw in drawn)
        assert all(draw.label in made[draw.index].classes for draw in drawn if draw.label in ARTEFACTS)
