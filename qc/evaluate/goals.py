"""Figures asked of the product beside those reached. In: results on real images. Out: one goal per row."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from qc.evaluate.cell_figures import TARGET_TNRS, auroc_of, counts, is_called, judged_by_slide, thresholds_at
from qc.evaluate.masks import TISSUE
from qc.evaluate.real import RealResults
from qc.evaluate.soft_slide import NEIGHBOURS
from qc.labels import ArtefactClass
from qc.metrics import threshold_at_tnr

_LOOSE, _STRICT, _HUMAN = TARGET_TNRS


@dataclass(frozen=True)
class Goal:
    """One figure: what it is, what is asked (None when only reported), what was reached, whether less is better."""

    what: str
    asked: float | None
    reached: float
    is_at_most: bool = False

    @property
    def is_met(self) -> bool:
        """False also where nothing was asked or could be measured."""
        if self.asked is None:
            return False
        return self.reached <= self.asked if self.is_at_most else self.reached >= self.asked


def goals(results: RealResults) -> list[Goal]:
    """Every goal that real images can tell of."""
    return [*_mask_goals(results), *_cell_goals(results), *_tile_goals(results), *_focus_goals(results)]


def _mask_goals(results: RealResults) -> Iterator[Goal]:
    tissue = [result for result in results.masks if result.truth == TISSUE]
    with_margin = [(r.grown or r.counts).dice for r in tissue]
    yield Goal(
        "tissue mask, Dice with the margin it was drawn at, worst image", 0.96, min(with_margin, default=math.nan)
    )
    pens = [result.counts for result in results.masks if result.truth == ArtefactClass.PEN.label]
    yield Goal("pen: TPR of marked cells, worst image", 0.95, _least(one.tpr for one in pens))
    yield Goal("pen: TNR of tissue beside it, worst image", 0.98, _least(one.tnr for one in pens))


def _least(rates: Iterable[float]) -> float:
    """NaN where nothing was measured."""
    return min((rate for rate in rates if not math.isnan(rate)), default=math.nan)


def _cell_goals(results: RealResults) -> Iterator[Goal]:
    cells = [cell for group in judged_by_slide(results.cells).values() for cell in group]
    yield Goal("cells: AUROC", 0.95, auroc_of(cells))
    for tnr, asked, why in ((_LOOSE, 0.95, ""), (_STRICT, None, ""), (_HUMAN, 0.78, " (a second reader's)")):
        reached = counts(cells, thresholds_at(results.cells, tnr)).tpr
        yield Goal(f"cells: TPR at the threshold for TNR {tnr:.2f}{why}", asked, reached)
    loose = thresholds_at(results.cells, _LOOSE)
    most = 1 - _LOOSE
    groups = {"surgical ink": [cell for cell in results.cells if cell.is_surgical_ink]}
    for one in results.biology:
        groups[one.name] = [cell for cell in results.cells if cell.is_clean and (cell.slide, cell.view) in one.views]
    for name, group in groups.items():
        share = sum(is_called(cell, loose) for cell in group) / len(group) if group else math.nan
        yield Goal(f"cells with {name}: called artefact at the threshold for TNR {_LOOSE:.2f}", most, share, True)


def _tile_goals(results: RealResults) -> Iterator[Goal]:
    limit = threshold_at_tnr([cell.score for cell in results.cells if cell.is_clean], _STRICT)
    tiles = results.pass_fail.tiles
    failed, passed = (
        [tile.score > limit for tile in tiles if tile.is_failed is is_failed] for is_failed in (True, False)
    )
    where = f"at the cells' threshold for TNR {_STRICT:.2f}"
    yield Goal(f"failed tiles: TPR {where}", 0.95, sum(failed) / len(failed))
    yield Goal(f"passed tiles: TNR {where}", 0.95, 1 - sum(passed) / len(passed))
    yield Goal("failed against passed tiles: AUROC", 0.995, results.pass_fail.auroc)


def _focus_goals(results: RealResults) -> Iterator[Goal]:
    soft = results.soft_slide
    yield Goal(f"soft slide against the rest, {NEIGHBOURS} tiles at once: AUROC of the focus score", 0.95,
               soft.auroc_of_neighbours)  # fmt: skip
    yield Goal("soft slide against the rest, tile by tile: AUROC of suspicion", None, soft.auroc)
    for series in results.focus:
        if series.is_stained:
            what = f"stained focus series at {series.mpp:g} um per pixel: Spearman's correlation of suspicion"
            yield Goal(f"{what} with distance", 0.95, series.correlation)
