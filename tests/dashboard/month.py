"""A made-up month of a laboratory: results, a table of scanners and days, decisions of three people."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from qc.config.profile import load_profile
from qc.labels import ARTEFACTS, Verdict
from qc.metrics.percent import percent
from qc.record import Assessed, ClassCoverage, Failed, Stamp, artefact_share, to_json
from qc.store.database import Store
from qc.store.decision import Action, Choice, Reason, SlideKey
from qc.store.people import Actor, Role
from qc.store.schema import CoverageRow, Slide

RUN = "month"
FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
SCANNERS = ("scanner A", "scanner B", "scanner C")
PEOPLE = tuple(
    Actor(subject=f"p{i}", name=name, role=Role.TECHNICIAN) for i, name in enumerate(("A. Ito", "M. Sosa", "J. Weiss"))
)
_REASONS = {"fold": Reason.FOLD, "foreign": Reason.FOREIGN, "pen": Reason.PEN, "bubble": Reason.BUBBLE}


@dataclass(frozen=True)
class Made:
    """One made-up slide: what the software says, and whether it is truly bad."""

    record: Assessed | Failed
    day: int
    scanner: str
    is_bad: bool


def made_up(slides: int, seed: int = 0, days: int = 30) -> list[Made]:
    """Slides over some days; scanner B loses focus in the last week."""
    rng = np.random.default_rng(seed)
    return [_one(i, i * days // slides, days, rng) for i in range(slides)]


def fill(store: Store, made: list[Made]) -> None:
    """Put results into a store in two statements; saving one by one would take minutes."""
    store.begin_run(RUN, "s" * 64, "0.1.0", "default 2", "{}")
    rows = [_row(i + 1, one) for i, one in enumerate(made)]
    shares = [
        {"slide_row": i + 1, "artefact_class": name, "share": amount.share, "area_mm2": amount.area_mm2}
        for i, one in enumerate(made)
        if isinstance(one.record, Assessed)
        for name, amount in one.record.coverage.items()
    ]
    with Session(store.engine) as session, session.begin():
        session.execute(insert(Slide), rows)
        session.execute(insert(CoverageRow), shares)


def many(store: Store, slides: int) -> None:
    """A large run, quickly: the slides of a small one again and again, each under an id of its own."""
    few = [one for one in made_up(200) if isinstance(one.record, Assessed)]
    store.begin_run(RUN, "s" * 64, "0.1.0", "default 2", "{}")
    rows = [_row(i + 1, few[i % len(few)]) for i in range(slides)]
    for i, row in enumerate(rows):
        old, new = str(row["slide_id"]), f"many-{i:06d}"
        row |= {"slide_id": new, "record_json": str(row["record_json"]).replace(old, new)}
    with Session(store.engine) as session, session.begin():
        session.execute(insert(Slide), rows)


def cohort_csv(made: list[Made]) -> str:
    """The laboratory's table of these slides."""
    lines = ["slide,barcode,scanner,stainer,stain,batch,scanned"]
    for i, one in enumerate(made):
        day = FIRST_DAY + timedelta(days=one.day)
        stain = "IHC" if i % 5 == 0 else "H&E"
        lines.append(
            f"{one.record.stamp.slide_id},26-{i:05d},{one.scanner},stainer {1 + i % 2},{stain},"
            f"B{one.day // 2:02d},{day:%Y-%m-%d}"
        )
    return "\n".join(lines) + "\n"


def decide(store: Store, made: list[Made]) -> None:
    """People decide about these slides, mostly in line with the truth."""
    for i, one in enumerate(made):
        key = SlideKey(
            run_id=RUN,
            slide_id=one.record.stamp.slide_id,
            slide_fingerprint=one.record.stamp.slide_fingerprint,
        )
        person = PEOPLE[i % len(PEOPLE)]
        store.decide(person, key, _choice(one, is_bad=one.is_bad != (i % 23 == 0)))


def _choice(one: Made, is_bad: bool) -> Choice:
    if isinstance(one.record, Failed):
        return Choice(action=Action.RE_SCAN, reason=Reason.UNREADABLE)
    if not is_bad:
        return Choice(action=Action.ACCEPT, reason=Reason.NOTHING_WRONG, could_be_used=True)
    coverage = one.record.coverage
    worst = max(ARTEFACTS, key=lambda c: coverage[c.name.lower()].share).name.lower()
    action = {"fold": Action.RE_CUT, "out_of_focus": Action.RE_SCAN}.get(worst, Action.CLEAN)
    return Choice(action=action, reason=_REASONS.get(worst, Reason.OUT_OF_FOCUS), could_be_used=False)


def _one(i: int, day: int, days: int, rng: np.random.Generator) -> Made:
    scanner = SCANNERS[int(rng.integers(3))]
    is_drifting = scanner == SCANNERS[1] and day >= days - 8
    slide_id = f"slide-{i:05d}"
    stamp = Stamp(
        slide_id=slide_id,
        path=f"/slides/{slide_id}.svs",
        slide_fingerprint=f"{i:064x}",
        settings_fingerprint="s" * 64,
        software_version="0.1.0",
    )
    if rng.random() < 0.01:
        failed = Failed(
            stamp=stamp.model_copy(update={"slide_fingerprint": ""}),
            reason_code="truncated",
            reason="the file ends in the middle of its pixels",
            remedy="copy or scan it again",
            seconds=0.2,
        )
        return Made(failed, day, scanner, is_bad=True)
    shares = {c.name.lower(): float(rng.beta(0.15, 14)) for c in ARTEFACTS}
    if is_drifting:
        shares["out_of_focus"] = min(0.6, shares["out_of_focus"] + float(rng.beta(2, 6)))
    total = sum(shares.values())
    shares = {name: share / max(1.0, total * 1.02) for name, share in shares.items()}
    is_bad = bool(sum(shares.values()) + rng.normal(0, 0.03) > 0.1)
    return Made(_assessed(stamp, shares, is_drifting, rng), day, scanner, is_bad)


def _assessed(stamp: Stamp, shares: dict[str, float], is_drifting: bool, rng: np.random.Generator) -> Assessed:
    tissue = float(rng.gamma(6, 25))
    clean = 1 - sum(shares.values())
    coverage = {**shares, "clean": clean, "unassessed": 0.0}
    limits = load_profile("default")
    worst = max(shares, key=lambda name: shares[name] / getattr(limits.review, name))
    verdict = Verdict.USABLE
    if any(shares[name] > getattr(limits.review, name) for name in shares) or 1 - clean > limits.review.all_artefacts:
        verdict = Verdict.REVIEW
    if any(shares[name] > getattr(limits.reject, name) for name in shares) or 1 - clean > limits.reject.all_artefacts:
        verdict = Verdict.REJECT
    label = worst.replace("_", " ")
    reason = f"{label} {percent(shares[worst])} of tissue, limit {percent(getattr(limits.review, worst))}"
    return Assessed(
        stamp=stamp,
        verdict=verdict,
        reason="within all limits" if verdict is Verdict.USABLE else reason,
        remedy="",
        findings=(),
        profile="default 2",
        artefact_stage="network",
        width_px=80000,
        height_px=60000,
        mpp=0.25,
        mpp_source="header",
        slide_format="aperio",
        read_mpp=1.0,
        map_mpp=2.0,
        tissue_mm2=tissue,
        usable_mm2=tissue * clean,
        focus_score=float(np.clip(rng.normal(6.2 if is_drifting else 7.6, 0.8), 0, 10)),
        stain_score=float(np.clip(rng.normal(8.4, 0.7), 0, 10)),
        domain_distance=float(rng.gamma(8, 0.07)),
        coverage={name: ClassCoverage(share=share, area_mm2=share * tissue) for name, share in coverage.items()},
        tiles=300,
        tiles_unread=0,
        seconds=9.0,
    )


def _row(number: int, one: Made) -> dict[str, object]:
    record = one.record
    row: dict[str, object] = {
        "id": number,
        "run_id": RUN,
        "slide_id": record.stamp.slide_id,
        "slide_fingerprint": record.stamp.slide_fingerprint,
        "recorded": FIRST_DAY + timedelta(days=one.day, hours=8 + number % 9),
        "verdict": str(record.verdict),
        "reason": record.reason,
        "record_json": to_json(record),
    }
    numbers = ("focus_score", "stain_score", "domain_distance", "tissue_mm2", "usable_mm2")
    if isinstance(record, Failed):
        return row | dict.fromkeys((*numbers, "artefact_share"))
    share = artefact_share(record)
    return (
        row
        | {name: getattr(record, name) for name in numbers}
        | {"artefact_share": None if math.isnan(share) else share}
    )
