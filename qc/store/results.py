"""What the software found, in a store: runs begun, records in, records out."""

import math
from datetime import datetime

from sqlalchemy import delete, select

from qc.config.profile import Profile
from qc.record import Assessed, Failed, artefact_share, from_json, to_json, unnamed
from qc.store.judged import profile_in_force, seen
from qc.store.schema import CoverageRow, Run, Slide
from qc.store.sessions import Sessions


class Results(Sessions):
    """Runs and the results of their slides."""

    def begin_run(self, run_id: str, fingerprint: str, version: str, profile: str, settings_json: str) -> None:
        """Note a run; a known one keeps its first note."""
        run = Run(
            id=run_id,
            created=self._now(),
            settings_fingerprint=fingerprint,
            software_version=version,
            profile=profile,
            settings_json=settings_json,
        )
        with self._write() as session:
            if session.get(Run, run_id) is None:
                session.add(run)

    def save(self, run_id: str, record: Assessed | Failed) -> None:
        """Put one slide's result in the place of any earlier one of the same run."""
        with self._write() as session:
            session.get(Run, run_id, with_for_update=True)  # two writers of one slide wait for each other
            session.execute(delete(Slide).where(Slide.run_id == run_id, Slide.slide_id == record.stamp.slide_id))
            session.add(_row(run_id, record, profile_in_force(session, run_id), self._now()))

    def records(self, run_id: str) -> list[Assessed | Failed]:
        """All results of a run, by slide id, as they are judged now."""
        query = select(Slide.record_json).where(Slide.run_id == run_id).order_by(Slide.slide_id)
        with self._read() as session:
            profile = profile_in_force(session, run_id)
            return [seen(from_json(text), profile) for text in session.scalars(query)]

    def record(self, run_id: str, slide_id: str) -> Assessed | Failed | None:
        """The result of one slide of a run, as it is judged now; None when there is none."""
        query = select(Slide.record_json).where(Slide.run_id == run_id, Slide.slide_id == slide_id)
        with self._read() as session:
            text = session.scalar(query)
            return None if text is None else seen(from_json(text), profile_in_force(session, run_id))

    def profile_in_force(self, run_id: str) -> Profile | None:
        """The profile by which a run is judged anew; None while the verdicts of its assessment hold."""
        with self._read() as session:
            return profile_in_force(session, run_id)

    def runs(self) -> list[str]:
        """Ids of all runs, oldest first."""
        with self._read() as session:
            return list(session.scalars(select(Run.id).order_by(Run.created)))


def _row(run_id: str, record: Assessed | Failed, profile: Profile | None, now: datetime) -> Slide:
    judged = seen(record, profile)
    row = Slide(
        run_id=run_id,
        slide_id=record.stamp.slide_id,
        slide_fingerprint=record.stamp.slide_fingerprint,
        recorded=now,
        verdict=str(judged.verdict),
        reason=unnamed(judged.reason, record),
        record_json=to_json(record),
    )
    if isinstance(record, Assessed):
        row.focus_score, row.stain_score = _nullable(record.focus_score), _nullable(record.stain_score)
        row.domain_distance = _nullable(record.domain_distance)
        row.scanner, row.scanned_at = record.scanner, record.scanned_at
        row.tissue_mm2, row.usable_mm2 = record.tissue_mm2, record.usable_mm2
        row.artefact_share = _nullable(artefact_share(record))
        row.coverages = [
            CoverageRow(artefact_class=name, share=_nullable(amount.share), area_mm2=amount.area_mm2)
            for name, amount in record.coverage.items()
        ]
    return row


def _nullable(value: float) -> float | None:
    return None if math.isnan(value) else value
