"""A store with very many made-up results, written in a moment. In: a store and a number. Out: one run that large."""

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.record import Assessed, ClassCoverage, Stamp, artefact_share, to_json
from qc.store.database import Store
from qc.store.schema import CoverageRow, Run, Slide

RUN_ID = "many"
_ROWS_AT_ONCE = 2000


def fill(store: Store, slides: int, seed: int = 0) -> None:
    """Put a run of so many assessed slides into an empty store."""
    store.begin_run(RUN_ID, "0" * 64, "0", "made-up 1", "{}")
    rng = np.random.default_rng(seed)
    for first in range(0, slides, _ROWS_AT_ONCE):
        records = [_record(i, rng) for i in range(first, min(first + _ROWS_AT_ONCE, slides))]
        with Session(store.engine) as session, session.begin():
            recorded = session.get_one(Run, RUN_ID).created
            session.execute(insert(Slide), [_slide(first + i + 1, one, recorded) for i, one in enumerate(records)])
            session.execute(
                insert(CoverageRow), [row for i, one in enumerate(records) for row in _rows(first + i + 1, one)]
            )


def _record(number: int, rng: np.random.Generator) -> Assessed:
    shares = {cls.name.lower(): float(share) for cls, share in zip(ARTEFACTS, rng.beta(0.2, 12, 5), strict=True)}
    total = sum(shares.values())
    shares = {name: share / max(1.0, 1.05 * total) for name, share in shares.items()}
    worst = max(shares, key=lambda name: shares[name])
    share, tissue_mm2 = sum(shares.values()), float(rng.gamma(6, 25))
    verdict = Verdict.REJECT if share > 0.3 else Verdict.REVIEW if share > 0.1 else Verdict.USABLE
    shares |= {"unassessed": 0.0, "clean": 1 - share}
    slide_id = f"slide-{number:06d}"
    return Assessed(
        stamp=Stamp.unkept(slide_id, f"/slides/{slide_id}.svs", "0").model_copy(
            update={"slide_fingerprint": f"{number:064x}"}
        ),
        verdict=verdict,
        reason="within all limits"
        if verdict is Verdict.USABLE
        else f"{ArtefactClass[worst.upper()].label} {share:.0%}",
        remedy="",
        findings=(),
        profile="made-up 1",
        artefact_stage="made up",
        width_px=80_000,
        height_px=60_000,
        mpp=0.25,
        mpp_source="header",
        slide_format="aperio",
        scanner=f"scanner {'ABC'[number % 3]}",
        scanned_at=f"2026-03-{1 + number % 28:02d} 08:00",
        read_mpp=1.0,
        map_mpp=2.0,
        tissue_mm2=tissue_mm2,
        usable_mm2=tissue_mm2 * (1 - share),
        focus_score=float(rng.uniform(4, 10)),
        stain_score=float(rng.uniform(4, 10)),
        domain_distance=float(rng.gamma(8, 0.07)),
        coverage={name: ClassCoverage(share=part, area_mm2=part * tissue_mm2) for name, part in shares.items()},
        tiles=300,
        tiles_unread=0,
        seconds=9.0,
    )


def _slide(number: int, record: Assessed, recorded: object) -> dict[str, object]:
    names = ("verdict", "reason", "focus_score", "stain_score", "domain_distance", "tissue_mm2", "usable_mm2")
    return {
        **{name: getattr(record, name) for name in (*names, "scanner", "scanned_at")},
        "id": number,
        "run_id": RUN_ID,
        "slide_id": record.stamp.slide_id,
        "slide_fingerprint": record.stamp.slide_fingerprint,
        "recorded": recorded,
        "artefact_share": artefact_share(record),
        "record_json": to_json(record),
    }


def _rows(number: int, record: Assessed) -> list[dict[str, object]]:
    return [
        {"slide_row": number, "artefact_class": name, "share": amount.share, "area_mm2": amount.area_mm2}
        for name, amount in record.coverage.items()
    ]
