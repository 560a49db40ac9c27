"""One slide's report as values. In: facts of a run and a slide id. Out: all that the template prints."""

from dataclasses import dataclass
from pathlib import Path

from qc.exchange.rasters import read_artefact_map
from qc.metrics.percent import MISSING
from qc.record import Assessed, Failed, unnamed
from qc.report.close_ups import Spot, close_ups
from qc.report.facts import Facts
from qc.report.known import Known, known_performance
from qc.report.limits import CoverRow, Gauge, cover_rows, gauges
from qc.report.pictures import Glass, Overview, glass, overview
from qc.report.places import worst_places
from qc.report.words import moment
from qc.slide.reader import header_of
from qc.slide.scan import Scan, scan_of
from qc.store.decision import Decision


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
    glass: Glass | None
    spots: tuple[Spot, ...]
    decision: Decision | None
    decided_at: str
    known: "Known | None"
    as_of: str


def slide_page(facts: Facts, record: Assessed | Failed, with_paths: bool = False, with_glass: bool = True) -> SlidePage:
    """All that one slide's report prints.

    Args:
        facts: The run.
        record: The slide's result.
        with_paths: Whether the path of the file may be printed, which may hold a name.
        with_glass: Whether the photograph of the glass may be printed, its label covered.
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
        gauges=tuple(gauges(record, facts.note.profile)) if isinstance(record, Assessed) else (),
        rows=tuple(cover_rows(record, facts.note.profile)) if isinstance(record, Assessed) else (),
        overview=shown,
        glass=glass(record) if with_glass and isinstance(record, Assessed) else None,
        spots=spots,
        decision=decision,
        decided_at=moment(decision.at) if decision else "",
        known=known_performance(facts.card) if facts.card else None,
        as_of=moment(max(filter(None, (facts.recorded.get(slide_id), decision and decision.at)), default=None)),
    )


def _identity(facts: Facts, record: Assessed | Failed, with_paths: bool) -> list[tuple[str, str]]:
    about = facts.about_slide(record.stamp.slide_id)
    scan = Scan(about.scanner, about.scanned) if about.scanner and about.scanned else _scan(record)
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
    """From the file itself: records of early versions do not tell."""
    path = Path(record.stamp.path)
    return scan_of(header_of(path)) if path.is_file() else Scan()
