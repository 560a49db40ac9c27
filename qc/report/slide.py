"""One slide's report as values. In: facts of a run and a slide id. Out: all that the template prints."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from qc.config.profile import Profile
from qc.exchange.rasters import read_artefact_map
from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.metrics.percent import MISSING, percent
from qc.nets.card import Card
from qc.record import Assessed, Failed, artefact_share
from qc.report.facts import Facts
from qc.report.pictures import Overview, Spot, close_ups, overview, worst_places
from qc.report.words import moment, number
from qc.slide.reader import header_of
from qc.slide.scan import Scan, scan_of
from qc.store.decision import Decision

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
    is_high_good: bool
    state: Verdict
    note: str


@dataclass(frozen=True)
class SlidePage:
    """What the report of one slide prints."""

    slide_id: str
    record: Assessed | Failed
    reason: str
    identity: tuple[tuple[str, str], ...]
    provenance: tuple[tuple[str, str], ...]
    gauges: tuple[Gauge, ...]
    rows: tuple[CoverRow, ...]
    overview: Overview | None
    spots: tuple[Spot, ...]
    decision: Decision | None
    decided_at: str
    known: "Known | None"
    as_of: str


@dataclass(frozen=True)
class Known:
    """How well the network is known to see, as its card says."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    others: tuple[tuple[str, str], ...]
    misses_half: tuple[str, ...]


def slide_page(facts: Facts, record: Assessed | Failed, with_paths: bool = False) -> SlidePage:
    """All that one slide's report prints.

    Args:
        facts: The run.
        record: The slide's result.
        with_paths: Whether the path of the file may be printed, which may hold a name.
    """
    slide_id = record.stamp.slide_id
    decision = facts.decisions.get(slide_id)
    shown, spots = None, ()
    if isinstance(record, Assessed):
        folder = facts.run.slide(slide_id)
        if folder.artefacts.is_file() and folder.overview.is_file():
            artefacts = read_artefact_map(folder.artefacts)
            spots = tuple(close_ups(record, folder, artefacts, worst_places(artefacts)))
        shown = overview(folder, record, spots)
    return SlidePage(
        slide_id=slide_id,
        record=record,
        reason=unnamed(record.reason, record),
        identity=tuple(_identity(facts, record, with_paths)),
        provenance=tuple(_provenance(facts, record)),
        gauges=tuple(_gauges(record, facts.note.profile)) if isinstance(record, Assessed) else (),
        rows=tuple(_cover_rows(record, facts.note.profile)) if isinstance(record, Assessed) else (),
        overview=shown,
        spots=spots,
        decision=decision,
        decided_at=moment(decision.at) if decision else "",
        known=known_performance(facts.card) if facts.card else None,
        as_of=moment(max(filter(None, (facts.recorded.get(slide_id), decision and decision.at)), default=None)),
    )


def unnamed(text: str, record: Assessed | Failed) -> str:
    """A text about a slide with its id in the place of its path and file name."""
    path = record.stamp.path
    return text.replace(path, record.stamp.slide_id).replace(PurePath(path).name, record.stamp.slide_id)


def known_performance(card: Card) -> Known:
    """The card's figures: those of a class as a table, all others as a list."""
    names = {cls.name.lower(): cls.label for cls in ArtefactClass}
    table: dict[str, dict[str, float | None]] = {}
    others: list[tuple[str, str]] = []
    for key, value in card.figures.items():
        metric, _, what = key.partition("_")
        if what in names:
            table.setdefault(what, {})[metric] = value
        else:
            shown = MISSING if value is None else f"{value:,.0f}" if value == int(value) else f"{value:.3f}"
            others.append((key.replace("_", " "), shown))
    metrics = tuple(dict.fromkeys(metric for figures in table.values() for metric in figures))
    rows = tuple(
        (names[what], tuple(_figure(figures.get(metric)) for metric in metrics)) for what, figures in table.items()
    )
    weak = tuple(names[what] for what, figures in table.items() if (figures.get("tpr") or 1.0) < 0.5)
    return Known(card.name, tuple(_METRICS.get(one, one.upper()) for one in metrics), rows, tuple(others), weak)


_METRICS = {"auroc": "AUROC", "tpr": "TPR at its threshold", "tnr": "TNR", "npv": "NPV", "ppv": "PPV"}


def _figure(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}"


def _identity(facts: Facts, record: Assessed | Failed, with_paths: bool) -> list[tuple[str, str]]:
    about, scan = facts.about_slide(record.stamp.slide_id), _scan(record)
    told = [
        ("Slide", record.stamp.slide_id),
        ("Batch", about.batch or MISSING),
        ("Stain", about.stain or "not stated"),
        ("Scanner", about.scanner or scan.scanner or "not stated in the file"),
        ("Scanned", about.scanned or scan.scanned_at or "not stated in the file"),
        ("Assessed", moment(facts.recorded.get(record.stamp.slide_id))),
    ]
    if isinstance(record, Assessed):
        size = f"{record.width_px} \N{MULTIPLICATION SIGN} {record.height_px} px"
        told += [
            ("Pixel size", f"{record.mpp:.4g} \N{MICRO SIGN}m ({record.mpp_source or 'header'})"),
            ("Size", f"{size}, {record.slide_format}"),
        ]
    told.append(("File SHA-256", record.stamp.slide_fingerprint or "unreadable"))
    return [*told, ("Path", record.stamp.path)] if with_paths else told


def _provenance(facts: Facts, record: Assessed | Failed) -> list[tuple[str, str]]:
    profile = facts.note.profile
    told = [("Profile", f"{profile.name}, version {profile.version}: {profile.purpose}")]
    if isinstance(record, Assessed):
        told += [
            ("Model", record.artefact_stage),
            ("Resolution", f"read at {record.read_mpp:g}, mapped at {record.map_mpp:g} \N{MICRO SIGN}m per pixel"),
            ("Tiles", f"{record.tiles}, of which {record.tiles_unread} could not be read"),
        ]
    return [
        *told,
        ("Settings", record.stamp.settings_fingerprint),
        ("Software", f"SlideGate {record.stamp.software_version}"),
        ("Run", facts.note.run_id),
    ]


def _scan(record: Assessed | Failed) -> Scan:
    path = Path(record.stamp.path)
    return scan_of(header_of(path)) if path.is_file() else Scan()


def _cover_rows(record: Assessed, profile: Profile) -> list[CoverRow]:
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


def _gauges(record: Assessed, profile: Profile) -> list[Gauge]:
    usable_share = record.usable_mm2 / record.tissue_mm2 if record.tissue_mm2 else float("nan")
    area_axis = max(record.tissue_mm2, profile.review.usable_mm2, 1e-9)
    usable = Gauge(
        "Usable tissue",
        number(record.usable_mm2, 2),
        f"of {number(record.tissue_mm2, 2)} mm\u00b2",
        100 * record.usable_mm2 / area_axis,
        100 * profile.review.usable_mm2 / area_axis,
        100 * profile.reject.usable_mm2 / area_axis,
        True,
        _low_state(record.usable_mm2, profile.review.usable_mm2, profile.reject.usable_mm2),
        percent(usable_share),
    )
    scores: Mapping[str, tuple[float, float, float]] = {
        "Focus": (record.focus_score, profile.review.focus_score, profile.reject.focus_score),
        "Stain": (record.stain_score, profile.review.stain_score, profile.reject.stain_score),
    }
    gauges = [
        Gauge(
            name,
            number(score),
            "of 10",
            10 * score if score == score else None,
            10 * review,
            10 * reject,
            True,
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
        False,
        Verdict.USABLE if within else Verdict.REVIEW,
        f"at most {limit:g}",
    )
    return [usable, *gauges, colours]


def _low_state(value: float, review: float, reject: float) -> Verdict:
    """State of a value that should be high; NaN asks for a look."""
    if value < reject:
        return Verdict.REJECT
    return Verdict.USABLE if value >= review else Verdict.REVIEW


def _inside(share: float) -> float | None:
    return 100 * share if share <= 1 else None
