"""A slide held against its profile, ready to print. In: record, profile. Out: rows of classes, gauges of scores."""

from collections.abc import Mapping
from dataclasses import dataclass

from qc.config.profile import Profile
from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.metrics.percent import percent
from qc.record import Assessed, artefact_share
from qc.report.words import number

_AXIS_MIN = 0.35
_ROWS = (*ARTEFACTS, ArtefactClass.UNASSESSED)


@dataclass(frozen=True)
class CoverRow:
    """One line of the table of classes; positions are percent of the bar's width."""

    label: str
    colour: str
    area: str
    share: str
    bar: float
    review_at: float | None
    reject_at: float | None
    review: str
    reject: str
    state: Verdict | None


@dataclass(frozen=True)
class Gauge:
    """A score and the limits it is held to; positions are percent of the scale."""

    name: str
    value: str
    unit: str
    at: float | None
    review_at: float
    reject_at: float | None
    state: Verdict
    note: str


def cover_rows(record: Assessed, profile: Profile) -> list[CoverRow]:
    """The table of classes: clean tissue, each artefact, all together."""
    together = artefact_share(record)
    areas = {name: one.area_mm2 for name, one in record.coverage.items()}
    shares = {name: one.share for name, one in record.coverage.items()}
    axis = max([_AXIS_MIN, together, *(shares[cls.name.lower()] for cls in _ROWS)])
    artefacts_mm2 = sum(areas[cls.name.lower()] for cls in ARTEFACTS)
    rows = [
        _cover_row(cls.label, cls.hex_colour, areas[key], shares[key], key, profile, axis)
        for cls in _ROWS
        if (key := cls.name.lower())
    ]
    rows.append(_cover_row("all artefacts", "#3c4652", artefacts_mm2, together, "all_artefacts", profile, axis))
    clean = shares["clean"]
    colour = ArtefactClass.CLEAN.hex_colour
    rows.insert(
        0,
        CoverRow(
            *("clean tissue", colour, number(areas["clean"], 2), percent(clean), 100 * min(1.0, clean)),
            *(None, None, "", "", None),
        ),
    )
    return rows


def _cover_row(
    label: str,
    colour: str,
    area_mm2: float,
    share: float,
    key: str,
    profile: Profile,
    axis: float,
) -> CoverRow:
    review, reject = float(getattr(profile.review, key)), float(getattr(profile.reject, key))
    state = Verdict.REJECT if share > reject else Verdict.REVIEW if share > review else Verdict.USABLE
    return CoverRow(
        label,
        colour,
        number(area_mm2, 2),
        percent(share),
        100 * share / axis if share == share else 0.0,
        _inside(review / axis),
        _inside(reject / axis),
        percent(review),
        percent(reject),
        state,
    )


def gauges(record: Assessed, profile: Profile) -> list[Gauge]:
    """Usable tissue, focus, stain and colours."""
    usable_share = record.usable_mm2 / record.tissue_mm2 if record.tissue_mm2 else float("nan")
    area_axis = max(record.tissue_mm2, profile.review.usable_mm2, 1e-9)
    usable = Gauge(
        "Usable tissue",
        number(record.usable_mm2, 2),
        f"of {number(record.tissue_mm2, 2)} mm\u00b2",
        100 * record.usable_mm2 / area_axis,
        100 * profile.review.usable_mm2 / area_axis,
        100 * profile.reject.usable_mm2 / area_axis,
        _low_state(record.usable_mm2, profile.review.usable_mm2, profile.reject.usable_mm2),
        percent(usable_share),
    )
    scores: Mapping[str, tuple[float, float, float]] = {
        "Focus": (record.focus_score, profile.review.focus_score, profile.reject.focus_score),
        "Stain": (record.stain_score, profile.review.stain_score, profile.reject.stain_score),
    }
    judged = [
        Gauge(
            name,
            number(score),
            "of 10",
            10 * score if score == score else None,
            10 * review,
            10 * reject,
            _low_state(score, review, reject),
            f"at least {review:g}",
        )
        for name, (score, review, reject) in scores.items()
    ]
    distance, limit = record.domain_distance, profile.domain_distance_max
    within = distance <= limit
    colours = Gauge(
        "Colours",
        number(distance, 2),
        "from training",
        min(100.0, 100 * distance / (2 * max(limit, 1e-9))) if distance == distance else None,
        50.0,
        None,
        Verdict.USABLE if within else Verdict.REVIEW,
        f"at most {limit:g}",
    )
    return [usable, *judged, colours]


def _low_state(value: float, review: float, reject: float) -> Verdict:
    """State of a value that should be high; NaN asks for a look."""
    if value < reject:
        return Verdict.REJECT
    return Verdict.USABLE if value >= review else Verdict.REVIEW


def _inside(share: float) -> float | None:
    return 100 * share if share <= 1 else None
