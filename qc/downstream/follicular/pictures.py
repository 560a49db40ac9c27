"""Pictures of decisions: the surest tiles of each label under their heat, and a slide under its own. Out: PNG files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from qc.downstream.arms import Arm, Bench, kept
from qc.downstream.bank import Bank
from qc.downstream.cases import Part
from qc.downstream.classifier import Classifier
from qc.downstream.heatmap import over_slide, over_tile, slide_heat, slide_picture, tile_heat
from qc.downstream.sheet_file import write_sheet
from qc.geometry import Mpp
from qc.slide.files import SlideFile, open_slide

Rgb = NDArray[np.uint8]

_CELL_PX = 220
_CAPTION_PX = 22
_SLIDE_PX = 760
_IN_ROW = 6


@dataclass(frozen=True)
class Entry:
    """A picture with a line above it."""

    picture: Rgb
    caption: str


def tile_sheet(classifier: Classifier, table: pd.DataFrame, bank: Bank, labels: Sequence[str]) -> Image.Image:
    """Of each label the tiles called surest, right or wrong: as read above, under their heat below."""
    rows = []
    chances, heats = classifier.probabilities(table, bank), tile_heat(classifier, table, bank)
    for target, label in enumerate(labels):
        of_label = np.flatnonzero(table["target"].to_numpy() == target)
        chosen = of_label[np.argsort(-np.abs(chances[of_label] - 0.5), kind="stable")]
        few = _of_different_slides(table, chosen)
        part = table.iloc[few].reset_index(drop=True)
        pixels = bank.tiles(part)
        captions = [f"{label}: {labels[1]} {chances[row]:.2f}" for row in few]
        rows.append([Entry(one, text) for one, text in zip(pixels, captions, strict=True)])
        rows.append([Entry(over_tile(one, heat), "") for one, heat in zip(pixels, heats[few], strict=True)])
    return _sheet(rows, _CELL_PX)


def slide_sheet(classifier: Classifier, table: pd.DataFrame, bank: Bank, labels: Sequence[str]) -> Image.Image:
    """One slide of each label, as scanned and under its heat; tiles that the filter removed are crossed out."""
    rows = []
    for target, label in enumerate(labels):
        of_label = table.loc[table["target"] == target]
        slide_id = of_label["slide_id"].value_counts().index[0]
        own = of_label.loc[of_label["slide_id"] == slide_id].reset_index(drop=True)
        used = kept(own) if own["is_kept"].any() else own
        slide = open_slide(SlideFile(Path(str(own["path"].iloc[0])), Mpp(float(own["slide_mpp"].iloc[0]))))
        try:
            rgb, step = slide_picture(slide, _SLIDE_PX)
        finally:
            slide.close()
        heat = slide_heat(used, tile_heat(classifier, used, bank), (rgb.shape[0], rgb.shape[1]), step)
        score = float((classifier.probabilities(used, bank) >= 0.5).mean())
        caption = f"{label}: {score:.0%} of {len(used)} tiles called {labels[1]}"
        rows.append([Entry(rgb, caption), Entry(over_slide(rgb, heat, own.loc[~own["is_kept"]], step), "")])
    return _sheet(rows, _SLIDE_PX)


def write_pictures(bench: Bench, arm: Arm, part: Part, labels: Sequence[str], folder: Path) -> tuple[Path, Path]:
    """`tiles.png` and `slides.png` of an arm's first training, from its test slides."""
    classifier = bench.classifier(arm, part, bench.seeds[0])
    sheets = (
        ("tiles.png", tile_sheet(classifier, kept(part.test), bench.bank, labels)),
        ("slides.png", slide_sheet(classifier, part.test, bench.bank, labels)),
    )
    for name, sheet in sheets:
        write_sheet(sheet, folder / name)
    return folder / sheets[0][0], folder / sheets[1][0]


def _of_different_slides(table: pd.DataFrame, ordered: NDArray[np.intp]) -> list[int]:
    """The first rows in order, one of each slide as long as there are others."""
    slides = table["slide_id"].to_numpy()
    first = list({slides[row]: int(row) for row in ordered[::-1]}.values())
    ranked = {int(row): i for i, row in enumerate(ordered)}
    rest = [int(row) for row in ordered if int(row) not in set(first)]
    return (sorted(first, key=ranked.__getitem__) + rest)[:_IN_ROW]


def _sheet(rows: Sequence[Sequence[Entry]], width_px: int) -> Image.Image:
    fitted = [[_fitted(entry, width_px) for entry in row] for row in rows if row]
    heights = [max(one.height for one in row) for row in fitted]
    sheet = Image.new("RGB", (max(len(row) for row in fitted) * (width_px + 6), sum(heights)), "white")
    top = 0
    for row, height in zip(fitted, heights, strict=True):
        for i, one in enumerate(row):
            sheet.paste(one, (i * (width_px + 6), top))
        top += height
    return sheet


def _fitted(entry: Entry, width_px: int) -> Image.Image:
    picture = Image.fromarray(entry.picture)
    picture = picture.resize((width_px, round(picture.height * width_px / picture.width)))
    head = _CAPTION_PX if entry.caption else 4
    framed = Image.new("RGB", (width_px, picture.height + head), "white")
    framed.paste(picture, (0, head))
    ImageDraw.Draw(framed).text((2, 3), entry.caption, "black", ImageFont.load_default(14))
    return framed
