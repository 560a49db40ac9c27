"""What is known about one slide after a run: `Assessed` or `Failed`, the contract of store, tables and screens."""

import math
from collections.abc import Iterable
from pathlib import PurePath
from typing import Annotated, Literal, Self

from pydantic import AllowInfNan, BeforeValidator, Field, PlainSerializer, TypeAdapter

from qc.config.base import Settings
from qc.config.profile import Profile
from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.maps import Coverage
from qc.score import Judgement, judge

NanFloat = Annotated[
    float,
    AllowInfNan(),
    BeforeValidator(lambda value: math.nan if value is None else value),
    PlainSerializer(lambda value: None if math.isnan(value) else value, when_used="json"),
]
"""A float whose NaN is written as null in JSON and comes back as NaN."""


class ClassCoverage(Settings):
    """How much tissue one class covers."""

    share: NanFloat = Field(description="Share of tissue (0-1); null when there is no tissue.")
    area_mm2: float = Field(description="Square millimetres of tissue.")


class Stamp(Settings):
    """Where a result comes from: enough to know whether it would come out the same again."""

    slide_id: str = Field(description="Id of the slide in this run: file stem and a hash of its path.")
    path: str = Field(description="Absolute path of the slide file.")
    slide_fingerprint: str = Field(description="SHA-256 over samples of the file's content.")
    settings_fingerprint: str = Field(description="SHA-256 over all settings, the profile and the mpp given.")
    software_version: str = Field(description="Version of SlideGate that made the result.")

    @classmethod
    def unkept(cls, slide_id: str, path: str, software_version: str) -> Self:
        """Stamp of a result that is measured and thrown away, so that nothing need be fingerprinted."""
        return cls(
            slide_id=slide_id,
            path=path,
            slide_fingerprint="",
            settings_fingerprint="",
            software_version=software_version,
        )


class FindingRow(Settings):
    """One rule of the profile that fired."""

    verdict: Verdict = Field(description="Verdict the rule asks for.")
    reason: str = Field(description="What was found and what the limit is.")
    remedy: str = Field(description="What to do about it.")


def finding_rows(judgement: Judgement) -> tuple[FindingRow, ...]:
    """What fired in a judgement, as records keep it."""
    return tuple(FindingRow(verdict=f.verdict, reason=f.reason, remedy=f.remedy) for f in judgement.findings)


class Assessed(Settings):
    """A slide that went through every stage."""

    kind: Literal["assessed"] = Field(default="assessed", description="Marks the record as an assessed slide.")
    stamp: Stamp = Field(description="Where the result comes from.")
    verdict: Verdict = Field(description="usable, review or reject.")
    reason: str = Field(description="Why, in words.")
    remedy: str = Field(description="What to do about it, in words; empty for a usable slide.")
    findings: tuple[FindingRow, ...] = Field(description="The rules that fired, worst first.")
    profile: str = Field(description="Name and version of the verdict profile.")
    artefact_stage: str = Field(description="Artefact stage that made the map.")
    width_px: int = Field(description="Level-0 width, pixels.")
    height_px: int = Field(description="Level-0 height, pixels.")
    mpp: float = Field(description="Level-0 micrometres per pixel that was believed.")
    mpp_source: str = Field(description="`header`, or `caller` when it was given.")
    slide_format: str = Field(description="File format or vendor.")
    scanner: str = Field(default="", description="Scanner, as the file's header says; empty when it does not.")
    scanned_at: str = Field(
        default="",
        description="When it was scanned, by the header and the scanner's own clock; empty when it does not say.",
    )
    read_mpp: float = Field(description="Micrometres per pixel at which tissue was read.")
    map_mpp: float = Field(description="Micrometres per cell of the artefact map.")
    tissue_mm2: float = Field(description="Tissue area, square millimetres.")
    usable_mm2: float = Field(description="Clean tissue left, square millimetres.")
    focus_score: NanFloat = Field(description="Focus, 0 (blurred) to 10 (sharp); null when it cannot be judged.")
    stain_score: NanFloat = Field(description="Stain, 0 (absent or wrong) to 10; null when it cannot be judged.")
    domain_distance: NanFloat = Field(
        default=math.nan,
        description="How far the colours lie from those of the slides that were trained on, as a multiple of the "
        "distance within which nearly all of these lie; null when it was not computed.",
    )
    coverage: dict[str, ClassCoverage] = Field(description="Tissue under each class, by class name.")
    tiles: int = Field(description="Tissue tiles planned.")
    tiles_unread: int = Field(description="Tissue tiles that could not be decoded; their tissue is unassessed.")
    seconds: float = Field(description="Wall time of the assessment, seconds.")


class Failed(Settings):
    """A slide that could not be assessed; never a pass."""

    kind: Literal["failed"] = Field(default="failed", description="Marks the record as a failed slide.")
    stamp: Stamp = Field(description="Where the result comes from.")
    verdict: Literal[Verdict.UNASSESSED] = Field(default=Verdict.UNASSESSED, description="Always unassessed.")
    reason_code: str = Field(description="Stable short code of the reason.")
    reason: str = Field(description="Why, in words.")
    remedy: str = Field(description="The way out, in words.")
    seconds: float = Field(description="Wall time until the failure, seconds.")


SlideRecord = Annotated[Assessed | Failed, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[Assessed | Failed] = TypeAdapter(SlideRecord)


_WORST_FIRST = (Verdict.UNASSESSED, Verdict.REJECT, Verdict.REVIEW, Verdict.USABLE)


def artefact_share(record: Assessed | Failed) -> float:
    """Share of tissue (0-1) under any artefact; NaN for a failed slide."""
    if isinstance(record, Failed):
        return math.nan
    return sum(record.coverage[cls.name.lower()].share for cls in ARTEFACTS)


def unnamed(text: str, record: Assessed | Failed) -> str:
    """A text about a slide with its id in the place of its path and file name, which may hold a patient's name."""
    path = record.stamp.path
    return text.replace(path, record.stamp.slide_id).replace(PurePath(path).name, record.stamp.slide_id)


def judged_again(record: Assessed | Failed, profile: Profile) -> Assessed | Failed:
    """A record with the verdict that another profile gives the same coverage and scores; nothing is measured anew."""
    if isinstance(record, Failed):
        return record
    cell_mm2 = (record.map_mpp / 1000) ** 2
    cells = {ArtefactClass[name.upper()]: round(amount.area_mm2 / cell_mm2) for name, amount in record.coverage.items()}
    covered = Coverage(cells, cell_mm2)
    judgement = judge(covered, record.focus_score, record.stain_score, record.domain_distance, profile)
    changed = {
        "verdict": judgement.verdict,
        "reason": judgement.reason,
        "remedy": judgement.remedy,
        "findings": finding_rows(judgement),
        "profile": profile.title,
    }
    return record.model_copy(update=changed)


def worst_first(records: Iterable[Assessed | Failed]) -> list[Assessed | Failed]:
    """Records by verdict, then by artefact share, then by id."""

    def key(record: Assessed | Failed) -> tuple[int, float, str]:
        share = artefact_share(record) if isinstance(record, Assessed) else 0.0
        return _WORST_FIRST.index(record.verdict), -share, record.stamp.slide_id

    return sorted(records, key=key)


def from_json(text: str | bytes) -> Assessed | Failed:
    """Read a record back; pydantic's ValidationError when it is none."""
    return _ADAPTER.validate_json(text)


def to_json(record: Assessed | Failed) -> str:
    """A record as indented JSON; NaN becomes null."""
    return record.model_dump_json(indent=2)
