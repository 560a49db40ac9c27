"""What a filtering leaves beside its manifest: what lesions lose, and a picture of each slide's tiles."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from qc.errors import ExchangeError, RunError
from qc.exchange.lesions import find_lesion_files, read_lesions
from qc.figures.kept_tiles import draw_kept_tiles
from qc.files import replacing
from qc.filtering.lesions import LesionLoss, lesion_losses, loss_table
from qc.filtering.rules import causes
from qc.geometry import Size
from qc.manifest import Manifest
from qc.pipeline.filter_runs import Runs
from qc.pipeline.stored import stored_maps


def check_lesions(manifest: Manifest, folder: Path, runs: Runs | None = None) -> list[LesionLoss]:
    """What the filter takes from the annotated lesions of each slide that has a file of its name in `folder`.

    Args:
        manifest: What was chosen.
        folder: Annotations: ASAP XML, CAMELYON JSON or GeoJSON, named like the slide's file.
        runs: Where the maps are, for the share of tissue under artefact.

    Raises:
        ExchangeError: If no file belongs to a slide, one belongs to two, or one cannot be read.
    """
    files = find_lesion_files(folder)
    slides = manifest.slides.assign(stem=[Path(path).stem for path in manifest.slides["path"]])
    slides = slides.loc[slides["stem"].isin(list(files))]
    if slides.empty:
        raise ExchangeError(f"no annotation in {folder} is named like a slide of the manifest", "rename the files")
    if (is_twice := slides["stem"].duplicated().to_numpy()).any():
        stem = slides.loc[is_twice, "stem"].iloc[0]
        raise ExchangeError(f"{files[stem].name} fits two slides of the manifest", "filter their runs one by one")
    of_slide = manifest.by_slide()
    losses: list[LesionLoss] = []
    for row in slides.to_dict("records"):
        slide_id = row["slide_id"]
        has_map = runs is not None and slide_id in runs.folders and row["width_level0"] > 0
        maps = stored_maps(runs.folders[slide_id]) if runs is not None and has_map else None
        lesions, tiles = read_lesions(files[row["stem"]]), of_slide[slide_id]
        losses += lesion_losses(slide_id, lesions, tiles, row["slide_mpp"], maps)
    return losses


def unused_annotations(manifest: Manifest, folder: Path) -> list[str]:
    """Names of annotation files that belong to no slide of the manifest, so that a misspelt one is seen."""
    stems = {Path(path).stem for path in manifest.slides["path"]}
    return [path.name for stem, path in find_lesion_files(folder).items() if stem not in stems]


def write_losses(losses: Sequence[LesionLoss], lost_max: float, manifest_path: Path) -> Path:
    """Write what each lesion loses beside a manifest, as `<stem>.lesions.csv`."""
    path = manifest_path.with_name(f"{manifest_path.stem}.lesions.csv")
    with replacing(path) as partial:
        loss_table(losses, lost_max).to_csv(partial, index=False)
    return path


def write_pictures(manifest: Manifest, runs: Runs, folder: Path) -> list[Path]:
    """Write one PNG per slide that has a map: kept tiles outlined, removed ones coloured by cause.

    Raises:
        RunError: If a run does not hold the overview of a slide, or a picture cannot be written.
    """
    of_slide = manifest.by_slide()
    written = []
    for row in manifest.slides.to_dict("records"):
        if not row["width_level0"]:
            continue
        tiles = of_slide[row["slide_id"]]
        size, mpp = Size(row["width_level0"], row["height_level0"]), row["slide_mpp"]
        counts = f"{row['status']}, {row['kept']} of {row['candidates']} tiles"
        title = f"{row['slide_id']}: {'; '.join(filter(None, (counts, row['why'])))}"
        overview = _overview(runs, row["slide_id"])
        picture = draw_kept_tiles(overview, size, mpp, tiles, causes(tiles["reason"].tolist()), title)
        path = folder / f"{row['slide_id']}.png"
        with replacing(path) as partial:
            picture.save(partial, "PNG")
        written.append(path)
    return written


def _overview(runs: Runs, slide_id: str) -> np.ndarray:
    """(H, W, 3) uint8 of the whole slide, as the run kept it."""
    if slide_id not in runs.folders:
        raise RunError(f"the runs do not hold slide {slide_id}", "name the runs that the manifest came from")
    path = runs.folders[slide_id].overview
    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error})", "assess the slide again") from error
