"""Everything measured on real images as one report in Markdown, with its charts."""

from collections.abc import Iterator, Sequence

from qc.evaluate.cell_figures import TARGET_TNRS, thresholds_at
from qc.evaluate.cell_report import cell_lines
from qc.evaluate.focus_series import FURTHEST_STEP, FocusSeriesResult
from qc.evaluate.goals import Goal, goals
from qc.evaluate.mask_report import mask_lines
from qc.evaluate.numbers import shown
from qc.evaluate.pass_fail import MPP as PASS_FAIL_MPP
from qc.evaluate.pass_fail import PassFailResult
from qc.evaluate.real import RealResults
from qc.evaluate.sheets import N_WORST, worst_cells
from qc.evaluate.soft_slide import MPP as SOFT_MPP
from qc.evaluate.soft_slide import NEIGHBOURS, SOFT_NUMBERS, SoftSlideResult
from qc.figures.chart import Curve, unit_chart
from qc.figures.prose import paragraph
from qc.figures.table import table
from qc.metrics.ranking import reliability, roc
from qc.version import __version__

RELIABILITY_CHART, ROC_CHART = "reliability.svg", "roc.svg"


def validation_markdown(results: RealResults, command: str, images: str, notes: Sequence[str] = ()) -> str:
    """The report.

    Args:
        results: What was measured.
        command: How to measure it again.
        images: Folder of the charts, relative to the report.
        notes: What people say about the figures, paragraph by paragraph.
    """
    return "\n".join(_lines(results, command, images, notes)) + "\n"


def charts(results: RealResults) -> dict[str, str]:
    """SVG texts by file name."""
    truth, scores = _truth_and_scores(results)
    bins = [(b.mean_score, b.positive_share) for b in reliability(truth, scores)]
    tiles, soft = results.pass_fail.tiles, results.soft_slide.tiles
    curves = [
        Curve("labelled cells", roc(truth, scores)),
        Curve("failed against passed tiles", roc([t.is_failed for t in tiles], [t.score for t in tiles])),
        Curve("soft slide against the rest", roc([t.is_soft for t in soft], [t.suspicion for t in soft])),
    ]
    calibrated = [Curve("labelled cells", bins, has_dots=True)]
    return {
        RELIABILITY_CHART: unit_chart("Reliability", "detection score", "share that is artefact", calibrated),
        ROC_CHART: unit_chart("ROC by source", "1 - TNR", "TPR", curves),
    }


def _lines(results: RealResults, command: str, images: str, notes: Sequence[str]) -> Iterator[str]:
    yield "# Validation on real images\n"
    yield f"Written by `{command}`,"
    yield f"SlideGate {__version__}, artefact stage {results.stage};"
    yield f"cells were scored by {', '.join(results.cell_stages)}.\n"
    yield "| figure | asked | reached | |"
    yield "|---|---|---|---|"
    yield from (_goal_row(goal) for goal in goals(results))
    yield from ("\n" + paragraph(note).rstrip() for note in notes)
    yield f"\n![ROC by source]({images}/{ROC_CHART})"
    yield f"![Reliability of the detection score on cells]({images}/{RELIABILITY_CHART})\n"
    yield "## Labelled cells of real slides\n"
    yield from cell_lines(results.cells, results.biology, "###")
    yield from _reliability_lines(results)
    yield from _worst_lines(results)
    yield "\n## Images with masks\n"
    yield from mask_lines(results.masks)
    yield from _pass_fail_lines(results.pass_fail)
    yield from _soft_lines(results.soft_slide)
    yield from _focus_lines(results.focus)


def _goal_row(goal: Goal) -> str:
    if goal.asked is None:
        return f"| {goal.what} | - | {shown(goal.reached)} | |"
    sign = "<=" if goal.is_at_most else ">="
    return f"| {goal.what} | {sign} {goal.asked:g} | {shown(goal.reached)} | {'met' if goal.is_met else '**missed**'} |"


def _reliability_lines(results: RealResults) -> Iterator[str]:
    yield "\n### Reliability\n"
    yield "A calibrated score is equal to the share of its cells that are artefact.\n"
    bins = reliability(*_truth_and_scores(results))
    rows = [[one.n, shown(one.mean_score), shown(one.positive_share)] for one in bins]
    yield from table(["cells", "mean detection score", "share that is artefact"], rows)


def _truth_and_scores(results: RealResults) -> tuple[list[bool], list[float]]:
    cells = [cell for cell in results.cells if cell.counts_for_artefacts]
    return [cell.is_artefact for cell in cells], [cell.score for cell in cells]


def _worst_lines(results: RealResults) -> Iterator[str]:
    tnr = TARGET_TNRS[0]
    called, missed = worst_cells(results.cells, thresholds_at(results.cells, tnr), N_WORST)
    yield f"\n### Worst cells at the threshold for TNR {tnr:.2f}\n"
    yield "Slide, view, row and column, code, detection score.\n"
    for name, cells in (("Clean, called artefact", called), ("Artefact, not called", missed)):
        named = (f"{c.slide} {c.view} r{c.row}c{c.column} {c.code} {c.score:.2f}" for c in cells)
        yield f"{name}: {'; '.join(named) or 'none'}.\n"


def _pass_fail_lines(result: PassFailResult) -> Iterator[str]:
    failed = [tile for tile in result.tiles if tile.is_failed]
    passed = [tile for tile in result.tiles if not tile.is_failed]
    yield "\n## Tiles that a person passed or failed\n"
    yield f"{len(failed)} failed and {len(passed)} passed tiles of one source, taken at {PASS_FAIL_MPP:g} um per pixel,"
    yield "each judged alone, continued by reflection. They are too small to look for tissue in, so all of a tile is"
    yield f"judged, glass too. AUROC **{shown(result.auroc)}**.\n"
    yield f"Failed, lowest detection score first: {_scores(sorted(failed, key=lambda tile: tile.score)[:6])}.\n"
    yield f"Passed, highest first: {_scores(sorted(passed, key=lambda tile: -tile.score)[:6])}."


def _scores(tiles: Sequence) -> str:
    return ", ".join(f"{tile.name} {tile.score:.2f}" for tile in tiles)


def _soft_lines(result: SoftSlideResult) -> Iterator[str]:
    n_soft = sum(tile.is_soft for tile in result.tiles)
    yield "\n## One soft slide\n"
    numbers = f"{SOFT_NUMBERS[0]} to {SOFT_NUMBERS[-1]}"
    yield f"Tiles of lymph nodes at {SOFT_MPP:g} um per pixel. {n_soft} of {len(result.tiles)}, numbers {numbers} of"
    yield "follicular lymphoma, are of one soft slide, as was found by eye and by the variance of the Laplacian; other"
    yield "tiles may be soft too. Each is judged alone, all of it as tissue, continued by reflection, so a stage cannot"
    yield "compare it with sharper tissue of its slide. As slides are judged by many tiles, the median focus score of"
    yield f"{NEIGHBOURS} neighbours by number is compared too.\n"
    rates = {
        "AUROC of mean suspicion": result.auroc,
        "AUROC of the focus score": result.auroc_of_focus,
        "the same, neighbours at once": result.auroc_of_neighbours,
        "out of focus, soft slide": result.blurred_share(True),
        "out of focus, the rest": result.blurred_share(False),
    }
    yield from table(list(rates), [[shown(rate) for rate in rates.values()]])


def _focus_lines(results: Sequence[FocusSeriesResult]) -> Iterator[str]:
    yield "\n## Focus series\n"
    yield f"One field of a grey smear at {2 * FURTHEST_STEP + 1} equal steps of focus, 0 sharpest, as it is and in the"
    yield "colours of H&E. Its mpp is unknown, so two are assumed. All of it is judged as tissue, continued by"
    yield "reflection. Spearman's correlation is with the distance from focus: 1 is best for suspicion, -1 for the"
    yield "focus score. Inversions are pairs on one side of focus of which the further one is suspected less.\n"
    rows = []
    for r in results:
        colours = "stained" if r.is_stained else "grey"
        rows.append([colours, f"{r.mpp:g}", shown(r.correlation), r.inversions, shown(r.correlation_of_focus)])
    measured = ["correlation of suspicion", "inversions", "correlation of the focus score"]
    yield from table(["colours", "assumed mpp", *measured], rows)
    for r in results:
        if r.is_stained:
            yield f"\nStained, {r.mpp:g} um per pixel:\n"
            rows = [[s.step, shown(s.suspicion), shown(s.blurred_share), f"{s.focus_score:.1f}"] for s in r.steps]
            yield from table(["step", "mean suspicion", "out of focus", "focus score"], rows)
