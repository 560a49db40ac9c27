"""People's corrections as training data. In: a run, what people settled, drawings. Out: masks, a sources file.

FOLDER/sources.toml       what `qc train artefact` reads; added to
FOLDER/masks/             one label mask for each slide that teaches something
FOLDER/to-draw/           maps as GeoJSON, of slides where a person has to draw what was missed
FOLDER/disagreements.csv  every slide on which a person disagreed, and what follows from it
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.config.training import SourceSpec
from qc.errors import ExchangeError
from qc.exchange.annotations import burnt, check_place, read_drawing
from qc.exchange.corrections import SOURCES_FILE, add_sources, source_of, write_mask
from qc.exchange.feedback import Disagreement, Lesson, disagreements, with_marks_taken_back
from qc.exchange.geojson import feature_collection, write_geojson
from qc.exchange.rasters import read_artefact_map
from qc.exchange.tables import write_csv
from qc.maps import ArtefactMap
from qc.pipeline.folder import RunFolder
from qc.pipeline.stored import Settled, stored_maps
from qc.record import Assessed
from qc.store.judged import seen

TABLE_FILE = "disagreements.csv"
_COLUMNS = ("slide_id", "verdict", "verdict_reason", "decision", "decision_reason", "decided_at", "lesson", "file")


@dataclass(frozen=True)
class Feedback:
    """What was written.

    Attributes:
        lessons: Slides by what they teach.
        files: Files written, the sources file and the table last.
    """

    lessons: Mapping[Lesson, int]
    files: tuple[Path, ...]


def write_feedback(
    run: RunFolder,
    people: Settled,
    folder: Path,
    root: Path,
    licence: str = "",
    drawings: Path | None = None,
) -> Feedback:
    """Write everything that can be learnt from a run's decisions.

    Args:
        run: The run.
        people: Decisions in force, and the profile whose verdicts are.
        folder: Where to write.
        root: Data folder that trainings are told; all slides lie under it.
        licence: Licence of the slides' pixels; without one they may only be measured on.
        drawings: Folder of corrected outlines, `<slide id>.geojson`; they win over what follows from a decision.

    Raises:
        RunError: If a map is missing.
        ExchangeError: If a drawing cannot be used, or a slide lies elsewhere.
    """
    records = {record.stamp.slide_id: seen(record, people.profile) for record in run.records()}
    drawn = {path.stem: path for path in sorted(drawings.glob("*.geojson"))} if drawings else {}
    if unknown := sorted(set(drawn) - {one for one, record in records.items() if isinstance(record, Assessed)}):
        raise ExchangeError(f"{drawn[unknown[0]]} is about no slide of the run", "name drawings by slide ids")
    found = disagreements(records.values(), people.decisions, people.profile or run.read_note().profile)
    entries: list[SourceSpec] = []
    files: list[Path] = []
    rows: list[dict[str, str]] = []
    for one in (replace(one, lesson=Lesson.CORRECTED) if _id(one) in drawn else one for one in found):
        path = _of_disagreement(run, one, folder, drawn)
        if path is not None and one.lesson is not Lesson.TO_BE_DRAWN:
            entries.append(source_of(one.record, path, root, licence))
        files += [path] if path else []
        rows.append(_row(one, path, folder))
    for slide_id in sorted(set(drawn) - {_id(one) for one in found}):  # corrected without a decision
        record = records[slide_id]
        if isinstance(record, Assessed):
            mask = _from_drawing(run, record, folder, drawn[slide_id])
            entries.append(source_of(record, mask, root, licence))
            files.append(mask)
    write_csv(pd.DataFrame(rows, columns=list(_COLUMNS), dtype="string"), folder / TABLE_FILE)
    if entries:
        add_sources(entries, folder / SOURCES_FILE)
        files.append(folder / SOURCES_FILE)
    counts = {lesson: sum(row["lesson"] == lesson for row in rows) for lesson in Lesson}
    return Feedback(counts, (*files, folder / TABLE_FILE))


def _of_disagreement(run: RunFolder, one: Disagreement, folder: Path, drawn: Mapping[str, Path]) -> Path | None:
    """The file that a disagreement gives, if any."""
    slide = run.slide(_id(one))
    match one.lesson:
        case Lesson.CORRECTED:
            return _from_drawing(run, one.record, folder, drawn[_id(one)])
        case Lesson.MARKS_TAKEN_BACK:
            artefacts = read_artefact_map(slide.artefacts)
            return _mask(with_marks_taken_back(artefacts, one.sound), artefacts, one.record, folder)
        case Lesson.TO_BE_DRAWN:
            path = folder / "to-draw" / f"{_id(one)}.geojson"
            stamp = one.record.stamp.model_dump(exclude={"path"})
            write_geojson(feature_collection(*stored_maps(slide)), path, stamp)
            return path
        case Lesson.NONE:
            return None


def _from_drawing(run: RunFolder, record: Assessed, folder: Path, path: Path) -> Path:
    drawing, base = read_drawing(path), read_artefact_map(run.slide(record.stamp.slide_id).artefacts)
    check_place(drawing, path, record.stamp.slide_id, base.grid.slide_size)
    return _mask(burnt(drawing.annotations, base), base, record, folder)


def _mask(labels: NDArray[np.uint8], base: ArtefactMap, record: Assessed, folder: Path) -> Path:
    return write_mask(labels, base.grid, record, folder)


def _row(one: Disagreement, path: Path | None, folder: Path) -> dict[str, str]:
    choice = one.decision.choice
    values = (
        _id(one),
        str(one.record.verdict),
        one.record.reason,
        str(choice.action),
        str(choice.reason),
        one.decision.at.isoformat(timespec="seconds"),
        str(one.lesson),
        path.relative_to(folder).as_posix() if path else "",
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _id(one: Disagreement) -> str:
    return one.record.stamp.slide_id
