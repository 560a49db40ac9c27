"""The example reports in reports/, made of the demonstration: `python tests/report/example.py demo/run reports`.

Three decisions are taken on a copy of the demonstration's store, at fixed times, so that the same run gives the same
files.
"""

import shutil
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from qc.labels import Verdict
from qc.pipeline.folder import RunFolder
from qc.record import worst_first
from qc.report.facts import read_facts
from qc.report.write import Scope, write_cohort_report, write_slide_report
from qc.store.database import Store, sqlite_url
from qc.store.decision import Action, Choice, Reason, SlideKey
from qc.store.people import Actor, Role

_ACTOR = Actor(subject="example", name="Example Technician", role=Role.TECHNICIAN)
_CHOICES = {
    Verdict.REJECT: Choice(action=Action.RE_SCAN, reason=Reason.OUT_OF_FOCUS, could_be_used=False),
    Verdict.REVIEW: Choice(
        action=Action.ACCEPT, reason=Reason.GOOD_ENOUGH, note="enough tissue beside it", could_be_used=True
    ),
}
_ABOUT = "slide,stain,scanner,batch\n"


def main(run: RunFolder, folder: Path) -> None:
    """Write one report of the worst reviewed slide and one of all slides."""
    with tempfile.TemporaryDirectory() as temporary:
        store_path, about_path = Path(temporary) / "store.sqlite", Path(temporary) / "about.csv"
        shutil.copy(run.store, store_path)
        before = read_facts(run)
        assert before.as_of is not None
        later = before.as_of + timedelta(hours=2)
        store = Store(sqlite_url(store_path), now=lambda: later)
        worst = [record for record in worst_first(before.records) if record.verdict in _CHOICES]
        for record in worst[:3]:
            stamp = record.stamp
            key = SlideKey(
                run_id=before.note.run_id, slide_id=stamp.slide_id, slide_fingerprint=stamp.slide_fingerprint
            )
            store.decide(_ACTOR, key, _CHOICES[record.verdict], nonce="example")
        store.close()
        ids = sorted(record.stamp.slide_id for record in before.records)
        about_path.write_text(_ABOUT + "".join(_line(i, slide_id) for i, slide_id in enumerate(ids)), encoding="utf-8")
        facts = read_facts(run, sqlite_url(store_path), about_path)
        write_slide_report(facts, next(r for r in worst if r.verdict is Verdict.REVIEW), folder / "example-slide.html")
        write_cohort_report(facts, Scope(), folder / "example-cohort.html")


def _line(i: int, slide_id: str) -> str:
    """Facts of the lab, made up."""
    return f"{slide_id},{'IHC' if 'ihc' in slide_id else 'HE'},scanner {'AB'[i % 2]},rack {1 + i // 5}\n"


if __name__ == "__main__":
    main(RunFolder(Path(sys.argv[1])), Path(sys.argv[2]))
