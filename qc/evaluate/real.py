"""All measurements on real images at once. In: a folder of reference data and settings. Out: every result.

The folder is laid out as `datasets/README.md` says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qc.artefact.choose import artefact_stage
from qc.artefact.stage import ArtefactStage
from qc.config.assess import AssessSettings
from qc.evaluate.biology import Biology
from qc.evaluate.cells import CellResult, StageOf, evaluate_cells
from qc.evaluate.focus_series import FocusSeriesResult, evaluate_focus_series
from qc.evaluate.masks import MaskResult, evaluate_mask, read_table
from qc.evaluate.pass_fail import PassFailResult, evaluate_pass_fail
from qc.evaluate.soft_slide import SoftSlideResult, evaluate_soft_slide
from qc.geometry import Mpp

CELL_LABELS = Path("slide-views/labels.csv")
CELL_SOURCES = Path("slide-views/slides.csv")
CELL_MPP = Mpp(1.0)
CELL_PX = 256
PASS_FAIL = Path("artefacts/tiles-pass-fail")
SOFT_SLIDE = Path("lymphoma")
FOCUS_SERIES = Path("artefacts/focus-stack/smear")


@dataclass(frozen=True)
class RealResults:
    """What was measured, by which stage.

    Attributes:
        stage: Name of the stage that judged what no fold had to judge.
        cell_stages: Names of the stages that judged slides by name: cells, and what is outlined on a known slide.
        cells: Labelled cells of slides.
        biology: Views to look at apart.
        masks: Images with masks.
        pass_fail: Tiles that a person passed or failed.
        soft_slide: Tiles of which some are soft.
        focus: One field at many focus positions.
    """

    stage: str
    cell_stages: tuple[str, ...]
    cells: tuple[CellResult, ...]
    biology: tuple[Biology, ...]
    masks: tuple[MaskResult, ...]
    pass_fail: PassFailResult
    soft_slide: SoftSlideResult
    focus: tuple[FocusSeriesResult, ...]


def evaluate_real(
    root: Path,
    masks_path: Path,
    biology: Sequence[Biology],
    settings: AssessSettings,
    stage: ArtefactStage[Any] | None = None,
    stage_of: StageOf | None = None,
    tell: Callable[[str], None] = lambda _what: None,
) -> RealResults:
    """Measure everything.

    Args:
        root: Folder of the reference data.
        masks_path: Table of images with masks, paths under `root`.
        biology: Views to look at apart.
        settings: How to assess.
        stage: The judge; the one that the settings ask for when left out.
        stage_of: Which stage judges a slide by its name, where stages are trained on other slides of the same
            collection; `stage` when left out.
        tell: Told what is done, in words.

    Raises:
        SettingsError: If something is missing.
    """
    judge = stage or artefact_stage(settings)
    names: set[str] = set()
    cells: list[CellResult] = []

    def noted(slide: str) -> ArtefactStage[Any]:
        chosen = stage_of(slide) if stage_of else judge
        names.add(chosen.name)
        return chosen

    for of_slide in evaluate_cells(root / CELL_LABELS, CELL_MPP, CELL_PX, settings, noted):
        cells += of_slide
        tell(f"{of_slide[0].slide}: {len(of_slide)} cells")
    masks = [
        evaluate_mask(one, settings, noted(one.slide) if one.slide else judge) for one in read_table(masks_path, root)
    ]
    tell(f"{len(masks)} images with masks")
    pass_fail = evaluate_pass_fail(root / PASS_FAIL, settings, judge)
    tell(f"{len(pass_fail.tiles)} tiles passed or failed")
    soft_slide = evaluate_soft_slide(root / SOFT_SLIDE, settings, judge)
    tell(f"{len(soft_slide.tiles)} tiles beside a soft slide")
    focus = evaluate_focus_series(root / FOCUS_SERIES, settings, judge)
    tell(f"{len(focus)} focus series")
    return RealResults(
        stage=judge.name,
        cell_stages=tuple(sorted(names)),
        cells=tuple(cells),
        biology=tuple(biology),
        masks=tuple(masks),
        pass_fail=pass_fail,
        soft_slide=soft_slide,
        focus=tuple(focus),
    )
