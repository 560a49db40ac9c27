"""Runs in, manifest out: records, maps and decisions of finished runs, and what a person knows about the slides."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from qc.cohort_table import Cohort
from qc.config.filter import FilterSettings
from qc.config.profile import Profile
from qc.errors import RunError, SettingsError
from qc.filtering.build import FilteredSlide, Origin, assembled, filter_slide
from qc.filtering.candidates import find_candidates, no_candidates
from qc.filtering.standing import SlideFacts, facts_of
from qc.manifest import SLIDE_COLUMNS, Manifest
from qc.pipeline.folder import RunFolder, RunNote
from qc.pipeline.slide_folder import SlideFolder
from qc.pipeline.stored import settled, stored_maps
from qc.record import Assessed, Failed, judged_again
from qc.store.decision import Decision
from qc.store.judged import seen


@dataclass(frozen=True)
class Runs:
    """Finished runs that were made alike, and their slides.

    Attributes:
        roots: The run folders.
        notes: One per run.
        profiles: The profile that judges each run: the one that people put in force, else the one of the assessment.
        records: All slides of all runs, with the verdicts in force.
        folders: Where each slide's results lie, by slide id.
        decisions: What people decided, by slide id.
        store_url: Database that all runs share; each run's own when None.
    """

    roots: tuple[RunFolder, ...]
    notes: tuple[RunNote, ...]
    profiles: tuple[Profile, ...]
    records: tuple[Assessed | Failed, ...]
    folders: Mapping[str, SlideFolder]
    decisions: Mapping[str, Decision]
    store_url: str | None = None

    @property
    def profile(self) -> Profile:
        """The profile that judges all runs.

        Raises:
            RunError: If people let the runs be judged by different ones.
        """
        first = self.profiles[0]
        if other := next((one for one in self.profiles if one != first), None):
            both = f"{first.title} and {other.title}"
            raise RunError(
                f"the runs are judged by different limits, {both}",
                "judge them by the same under Settings of the dashboard, or pass --profile",
            )
        return first


def read_runs(runs: Sequence[RunFolder], store_url: str | None = None) -> Runs:
    """Open runs.

    Args:
        runs: Run folders.
        store_url: Database with people's decisions and the verdicts in force; by default each run's own.

    Raises:
        RunError: If one is no run, they were made with different settings, a slide is in two, or there is no slide.
    """
    notes = [run.read_note() for run in runs]
    for run, note in zip(runs, notes, strict=True):
        if note.settings_fingerprint != notes[0].settings_fingerprint:
            raise RunError(
                f"{runs[0].root} and {run.root} were made with different settings, profiles or networks",
                "assess the slides again with one of them, or filter the runs one by one",
            )
    records: list[Assessed | Failed] = []
    folders: dict[str, SlideFolder] = {}
    decisions: dict[str, Decision] = {}
    profiles: list[Profile] = []
    for run, note in zip(runs, notes, strict=True):
        people = settled(run, note.run_id, store_url)
        decisions |= people.decisions
        profiles.append(people.profile or note.profile)
        for record in run.records():
            slide_id = record.stamp.slide_id
            if slide_id in folders:
                raise RunError(f"slide {slide_id} is in two of the runs", "name each run once")
            folders[slide_id] = run.slide(slide_id)
            records.append(seen(record, people.profile))
    if not records:
        raise RunError(f"{runs[0].root} holds no assessed slide", "run qc assess first")
    return Runs(tuple(runs), tuple(notes), tuple(profiles), tuple(records), folders, decisions, store_url)


def named_slides(runs: Runs, cohort: Cohort) -> Runs:
    """The runs without slides that a cohort table does not name.

    Raises:
        RunError: If none is left.
    """
    lines = cohort.match({record.stamp.slide_id: record.stamp.path for record in runs.records})
    records = tuple(record for record in runs.records if record.stamp.slide_id in lines)
    if not records:
        raise RunError("the cohort table names no slide of the runs", "check its column slide")
    return replace(runs, records=records)


def check_origin(manifest: Manifest, runs: Runs) -> None:
    """Refuse runs that a manifest does not come from.

    Raises:
        RunError: If the manifest was made from other runs.
    """
    known = {note.run_id for note in runs.notes}
    if missing := set(manifest.note.runs) - known:
        raise RunError(f"the manifest comes from run {min(missing)}, which is not among those named", "name its runs")


def filter_runs(
    runs: Runs,
    settings: FilterSettings,
    profile: Profile | None = None,
    cohort: Cohort | None = None,
    tell: Callable[[], None] = lambda: None,
) -> Manifest:
    """Choose tiles from the stored maps of runs.

    Args:
        runs: What `read_runs` gave.
        settings: Of the filter.
        profile: Judges the slides anew from their stored coverage and scores; by default the verdicts in force hold.
        cohort: Patient, label and clinical columns; every slide must be in it.
        tell: Called after each slide.

    Raises:
        QCError: If the cohort table misses or contradicts a slide, a map is damaged, tiles are too small for it, or the
            runs are judged by different profiles.
    """
    known = _known(runs.records, cohort) if cohort else {}
    note = runs.notes[0]
    judged_by = profile or runs.profile
    ids = tuple(note.run_id for note in runs.notes)
    origin = Origin(note.settings_fingerprint, ids, judged_by.title)

    def parts() -> Iterator[FilteredSlide]:
        for record in runs.records:
            judged = record if profile is None else judged_again(record, profile)
            facts = facts_of(judged, runs.decisions.get(record.stamp.slide_id))
            yield _filtered(facts, runs, settings, known.get(facts.slide_id))
            tell()

    return assembled(parts(), settings, origin)


def _filtered(
    facts: SlideFacts, runs: Runs, settings: FilterSettings, known: Mapping[str, Any] | None
) -> FilteredSlide:
    has_map = facts.width_level0 > 0
    maps = stored_maps(runs.folders[facts.slide_id]) if has_map else None
    candidates = find_candidates(*maps, settings.tiles) if maps else no_candidates()
    return filter_slide(facts, candidates, settings, runs.notes[0].settings_fingerprint, known)


def _known(records: Sequence[Assessed | Failed], cohort: Cohort) -> dict[str, dict[str, Any]]:
    """What the table says of each slide."""
    taken = {*SLIDE_COLUMNS} & {*cohort.numeric, *cohort.categorical}
    if taken:
        raise SettingsError(f"the cohort table's column {min(taken)} is one of the manifest's", "give it another name")
    paths = {record.stamp.slide_id: record.stamp.path for record in records}
    lines = cohort.match(paths)
    patients = {line.slide: line.patient for line in cohort.slides}
    known = {}
    for slide_id, path in paths.items():
        if slide_id not in lines:
            raise SettingsError(
                f"the cohort table has no line for slide {slide_id} ({path})",
                "add one, or leave such slides out with --only-cohort",
            )
        names = (slide_id, path, PurePath(path).name, PurePath(path).stem)
        whose = sorted({patients[name] for name in names if name in patients})
        if len(whose) > 1:
            raise SettingsError(
                f"the cohort table names {path} twice, with patients {whose[0]} and {whose[1]}", "keep one line"
            )
        line = lines[slide_id]
        known[slide_id] = {"patient": line.patient, "label": line.label, **line.clinical}
    return known
