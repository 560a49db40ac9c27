"""A tissue finder on everything that is known of tissue at once. In: reference data, a cohort. Out: a report's text."""

from collections.abc import Callable
from pathlib import Path

from qc.config.tissue import TissueSettings
from qc.evaluate.masks import TISSUE, MaskedImage, read_table
from qc.evaluate.tissue import (
    against_cells,
    against_drawn,
    against_ink,
    against_phantom,
    draw_phantoms,
    finder_of,
)
from qc.evaluate.tissue_report import FinderResults, tissue_markdown
from qc.nets.packaged import network_of
from qc.phantom import CohortSpec

CELL_LABELS = Path("slide-views/labels.csv")
_CELL_MPP, _CELL_PX = 1.0, 256


def measure_tissue(
    root: Path,
    masks_path: Path,
    cohort: CohortSpec,
    settings: list[TissueSettings],
    command: str,
    tell: Callable[[str], None] = lambda _what: None,
) -> str:
    """Measure finders one after the other, on the same images.

    Args:
        root: Folder of the reference data, as `datasets/README.md` says.
        masks_path: Table of images with masks, paths under `root`.
        cohort: Phantoms that no finder was trained on.
        settings: One finder each.
        command: That was given, for the report.
        tell: Told what is done, in words.

    Raises:
        SettingsError: If something is missing.
    """
    images = read_table(masks_path, root)
    phantoms = list(draw_phantoms(cohort))
    tell(f"{len(phantoms)} phantoms drawn")
    results = []
    for one in settings:
        finder, name = finder_of(one), f"rules and {one.network}" if one.network else "rules"
        results.append(
            FinderResults(
                name,
                [against_drawn(image, finder) for image in images if image.truth == TISSUE],
                [against_phantom(phantom, finder) for phantom in phantoms],
                {image.image.name: against_ink(image, finder) for image in images if _is_ink(image)},
                against_cells(root / CELL_LABELS, _CELL_MPP, _CELL_PX, finder),
                _seen(one),
            )
        )
        tell(f"{name}: measured")
    return tissue_markdown(results, command)


def _is_ink(image: MaskedImage) -> bool:
    """What was outlined on tissue is ruined, but tissue all the same."""
    return image.truth != TISSUE and not image.is_outlined


def _seen(settings: TissueSettings) -> frozenset[str]:
    """Slides that the settings' network was trained on."""
    if not settings.network:
        return frozenset()
    card = network_of(settings.network, "tissue").card
    return frozenset(slide for source in card.sources for slide in source.slides)
