"""All that a report draws on, read once. In: a run folder, its store, a table of the lab. Out: frozen facts."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path, PurePath

from qc.cohort_table import match_names
from qc.errors import RunError, SettingsError
from qc.nets.card import Card, read_card
from qc.nets.packaged import network_folder
from qc.pipeline.folder import RunFolder, RunNote
from qc.record import Assessed, Failed, judged_again
from qc.store.decision import Decision
from qc.store.queries import worklist

ABOUT_COLUMNS = ("stain", "stainer", "scanner", "scanned", "batch")


@dataclass(frozen=True)
class About:
    """What is known about a slide, scanner and time from its header where the lab does not say them; else empty.

    Attributes:
        stain: Such as `HE`.
        stainer: Which machine stained it.
        scanner: Which scanner made it.
        scanned: When, ISO 8601, at least the day.
        batch: What it was handled together with.
    """

    stain: str = ""
    stainer: str = ""
    scanner: str = ""
    scanned: str = ""
    batch: str = ""


@dataclass(frozen=True)
class Facts:
    """A run as reports see it.

    Attributes:
        run: The run folder.
        note: Settings of the run, and the profile by which it is judged now.
        records: Results, by slide id.
        decisions: Decisions in force, by slide id.
        recorded: When each result was stored, UTC, by slide id.
        about: What lab and header say, by slide id.
        folders: Name of the folder that each slide lies in, by slide id; never printed, for it may hold a name.
        card: Of the artefact network that made the results, when it is the one that is installed.
    """

    run: RunFolder
    note: RunNote
    records: tuple[Assessed | Failed, ...]
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    recorded: Mapping[str, datetime] = field(default_factory=dict)
    about: Mapping[str, About] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)
    card: Card | None = None

    def day(self, slide_id: str) -> date | None:
        """The day a slide was scanned, as lab or header say, or else recorded (UTC); None when none is known."""
        scanned = self.about_slide(slide_id).scanned
        if scanned:
            return datetime.fromisoformat(scanned).date()
        at = self.recorded.get(slide_id)
        return at.date() if at else None

    def about_slide(self, slide_id: str) -> About:
        """What the lab knows about a slide."""
        return self.about.get(slide_id, About())

    @property
    def as_of(self) -> datetime | None:
        """When the last thing was noted: results and decisions; None without a store."""
        times = [*self.recorded.values(), *(decision.at for decision in self.decisions.values())]
        return max(times, default=None)

    def within(self, since: date | None, until: date | None, batch: str | None) -> "Facts":
        """The same for some slides.

        Args:
            since: First day; None for no bound.
            until: Last day, included; None for no bound.
            batch: Only slides of this batch, as the lab's table says, or of the folder of that name.

        Raises:
            RunError: If days are asked for and not known, or no slide is left.
        """
        kept = [record for record in self.records if self._is_within(record.stamp.slide_id, since, until, batch)]
        if not kept:
            raise RunError(f"{self.run.root} has no slides of that batch or period", "choose others")
        ids = {record.stamp.slide_id for record in kept}
        return replace(
            self,
            records=tuple(kept),
            decisions={one: decision for one, decision in self.decisions.items() if one in ids},
            recorded={one: at for one, at in self.recorded.items() if one in ids},
        )

    def _is_within(self, slide_id: str, since: date | None, until: date | None, batch: str | None) -> bool:
        if batch is not None and batch not in (self.about_slide(slide_id).batch, self.folders.get(slide_id)):
            return False
        if since is None and until is None:
            return True
        day = self.day(slide_id)
        if day is None:
            raise RunError(f"the day of {slide_id} is not known", "pass --about with a column scanned")
        return (since or day) <= day <= (until or day)


def read_facts(run: RunFolder, store_url: str | None = None, about_path: Path | None = None) -> Facts:
    """Read a run, its store when it has one, and the lab's table when it is given.

    Raises:
        RunError: If the folder holds no run, no slides, or its store cannot be read.
        SettingsError: If the table cannot be used.
    """
    note, records = run.read_note(), tuple(run.records())
    if not records:
        raise RunError(f"{run.root} holds no slides", "assess some first")
    paths = {record.stamp.slide_id: record.stamp.path for record in records}
    told = _read_about(about_path, paths) if about_path is not None else {}
    about = {one.stamp.slide_id: _with_scan(told.get(one.stamp.slide_id, About()), one) for one in records}
    folders = {slide_id: PurePath(path).parent.name for slide_id, path in paths.items()}
    facts = Facts(run, note, records, about=about, folders=folders, card=_card(note, records))
    if store_url is None and not run.store.exists():
        return facts
    store = run.open_store(store_url)
    try:
        profile = store.profile_in_force(note.run_id)
        if profile is not None:
            judged = tuple(judged_again(record, profile) for record in records)
            facts = replace(facts, note=note.model_copy(update={"profile": profile}), records=judged)
        table = worklist(store.engine, note.run_id)
        recorded = {
            str(slide_id): datetime.fromisoformat(at.isoformat()).astimezone(UTC)
            for slide_id, at in zip(table["slide_id"], table["recorded"], strict=True)
        }
        return replace(facts, decisions=store.decisions(note.run_id), recorded=recorded)
    finally:
        store.close()


def _read_about(path: Path, paths: Mapping[str, str]) -> dict[str, About]:
    """Lines of a CSV with a column slide (id, path, file name or stem) and any of `ABOUT_COLUMNS`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"{path} cannot be read as CSV ({error})", "save it as CSV in UTF-8") from error
    if not rows or "slide" not in rows[0]:
        raise SettingsError(f"{path} has no column slide", f"name it, and any of {', '.join(ABOUT_COLUMNS)}")
    lines = {(row["slide"] or "").strip(): row for row in rows}
    return {slide_id: _about(path, lines[name]) for slide_id, name in match_names(lines, paths).items()}


def _with_scan(told: About, record: Assessed | Failed) -> About:
    """What the lab says, with scanner and time of the file's header where it is silent."""
    if isinstance(record, Failed):
        return told
    return replace(told, scanner=told.scanner or record.scanner, scanned=told.scanned or record.scanned_at)


def _about(path: Path, row: Mapping[str, str | None]) -> About:
    told = About(**{name: (row.get(name) or "").strip() for name in ABOUT_COLUMNS})
    try:
        if told.scanned:
            datetime.fromisoformat(told.scanned)
    except ValueError as error:
        raise SettingsError(
            f"{path} has {told.scanned!r} as time of scanning of {row['slide']}", "write it as 2026-11-21 14:05"
        ) from error
    return told


def _card(note: RunNote, records: tuple[Assessed | Failed, ...]) -> Card | None:
    """The network's card, unless another network of that name is installed by now: its figures would be others."""
    if note.settings.artefact.stage != "network":
        return None
    card = read_card(network_folder(note.settings.artefact.network))
    stages = {record.artefact_stage for record in records if isinstance(record, Assessed)}
    made_by = f"{card.name} {card.weights_sha256[:8]}"
    return card if all(stage.startswith(made_by) for stage in stages) else None
