"""A manifest in, requests for review out: people are asked about the slides that the filter's guard held back."""

from qc.filtering.build import guarded_slides
from qc.manifest import Manifest
from qc.pipeline.filter_runs import Runs
from qc.record import Stamp
from qc.store.decision import SlideKey
from qc.store.people import Actor
from qc.store.requests import Asked, FilterStamp, Look


def ask_for_reviews(manifest: Manifest, runs: Runs, actor: Actor) -> Asked:
    """Tell the stores of the runs which slides of a manifest a person has to look at, and which no longer.

    Args:
        manifest: What was chosen, from these runs.
        runs: The runs; slides that the manifest does not hold are left alone.
        actor: Who runs the filter.

    Raises:
        RefusedError: If that person may not ask, or a store does not hold the result of a slide.
        RunError: If a store cannot be used.
    """
    profile_name = manifest.note.profile.rsplit(" ", 1)[0]
    stamp = FilterStamp(profile=profile_name, filter_fingerprint=manifest.note.filter_fingerprint)
    guarded, looked_at = guarded_slides(manifest), set(manifest.slides["slide_id"])
    stamps = [record.stamp for record in runs.records if record.stamp.slide_id in looked_at]
    asked, withdrawn = [], []
    for root, note in zip(runs.roots, runs.notes, strict=True):
        looks = [
            Look(_key(note.run_id, one), guarded.get(one.slide_id, ""))
            for one in stamps
            if runs.folders[one.slide_id] == root.slide(one.slide_id)
        ]
        store = root.open_store(runs.store_url)
        try:
            changed = store.ask_reviews(actor, stamp, note.run_id, looks)
        finally:
            store.close()
        asked += changed.asked
        withdrawn += changed.withdrawn
    return Asked(tuple(asked), tuple(withdrawn))


def _key(run_id: str, stamp: Stamp) -> SlideKey:
    return SlideKey(run_id=run_id, slide_id=stamp.slide_id, slide_fingerprint=stamp.slide_fingerprint)
