"""Coverage and scores in, verdict out, with its reasons in words. Pure; no files, no torch.

A share beyond a limit of the profile is a finding; the worst finding decides. What could not be
computed is a finding too: a slide is usable only when everything was seen and nothing is beyond its limit.
"""

import math
from dataclasses import dataclass

from qc.config.profile import Limits, Profile
from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.maps import Coverage
from qc.metrics.percent import percent


@dataclass(frozen=True)
class Finding:
    """One rule that fired: the verdict it asks for, why, and what to do about it."""

    verdict: Verdict
    reason: str
    remedy: str


@dataclass(frozen=True)
class Judgement:
    """A verdict and what led to it.

    Attributes:
        verdict: The worst that any finding asks for.
        findings: Rules that fired, worst first; empty for a usable slide.
        usable_mm2: Clean tissue left, square millimetres.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    usable_mm2: float

    @property
    def reason(self) -> str:
        """All reasons in one line, worst first."""
        return "; ".join(finding.reason for finding in self.findings) or "within all limits"

    @property
    def remedy(self) -> str:
        """What to do, each remedy once, in the order of the findings."""
        return "; ".join(dict.fromkeys(f.remedy for f in self.findings if f.remedy))


def judge(
    coverage: Coverage, focus_score: float, stain_score: float, domain_distance: float, profile: Profile
) -> Judgement:
    """Hold a slide against a profile.

    Args:
        coverage: Tissue per class.
        focus_score: 0-10, NaN when focus could not be judged.
        stain_score: 0-10, NaN when stain could not be judged.
        domain_distance: Distance of colours from the training slides', NaN when it could not be computed.
        profile: Limits for review and for rejection.
    """
    findings = [
        *_share_findings(coverage, profile),
        *_score_findings("focus", focus_score, profile, "re-scan"),
        *_score_findings("stain", stain_score, profile, "re-stain"),
        *_domain_findings(domain_distance, profile.domain_distance_max),
        *_area_findings(coverage, profile),
    ]
    findings.sort(key=lambda finding: finding.verdict is not Verdict.REJECT)
    verdict = findings[0].verdict if findings else Verdict.USABLE
    return Judgement(verdict, tuple(findings), coverage.area_mm2(ArtefactClass.CLEAN))


def _share_findings(coverage: Coverage, profile: Profile) -> list[Finding]:
    if coverage.tissue_cells == 0:
        return [Finding(Verdict.REVIEW, "no tissue is left on the artefact map", "look at the overlay")]
    singles = [
        finding
        for c in (*ARTEFACTS, ArtefactClass.UNASSESSED)
        if (finding := _share_finding(c.name.lower(), c.label, coverage.share(c), c.remedy, profile))
    ]
    together = _share_finding(
        "all_artefacts", "all artefacts together", coverage.share(*ARTEFACTS), "look at the overlay", profile
    )
    if together is None or any(finding.verdict in (together.verdict, Verdict.REJECT) for finding in singles):
        return singles  # it would only say again what a class says
    return [*singles, together]


def _share_finding(key: str, label: str, share: float, remedy: str, profile: Profile) -> Finding | None:
    asked = _beyond(share, key, profile)
    if asked is None:
        return None
    verdict, limit = asked
    return Finding(verdict, f"{label} {percent(share)} of tissue, limit {percent(limit)}", remedy)


def _score_findings(name: str, score: float, profile: Profile, remedy: str) -> list[Finding]:
    if math.isnan(score):
        return [Finding(Verdict.REVIEW, f"{name} could not be judged", "look at the slide")]
    asked = _below(score, f"{name}_score", profile)
    return [Finding(asked[0], f"{name} score {score:.1f} of 10, at least {asked[1]:g} wanted", remedy)] if asked else []


def _domain_findings(distance: float, limit: float) -> list[Finding]:
    if math.isnan(distance):
        return [Finding(Verdict.REVIEW, "colours could not be compared with the training slides", "look at the slide")]
    if distance <= limit:
        return []
    reason = f"colours lie outside those of the training slides: distance {distance:.2f}, limit {limit:g}"
    return [Finding(Verdict.REVIEW, reason, "check stain and scanner, and look at the overlay before relying on it")]


def _area_findings(coverage: Coverage, profile: Profile) -> list[Finding]:
    usable = coverage.area_mm2(ArtefactClass.CLEAN)
    asked = _below(usable, "usable_mm2", profile)
    return [Finding(asked[0], f"{usable:.2f} mm2 usable, at least {asked[1]:g} wanted", "re-cut")] if asked else []


def _beyond(value: float, key: str, profile: Profile) -> tuple[Verdict, float] | None:
    """The verdict a share asks for and the limit it broke."""
    if value > _limit(profile.reject, key):
        return Verdict.REJECT, _limit(profile.reject, key)
    return (Verdict.REVIEW, _limit(profile.review, key)) if value > _limit(profile.review, key) else None


def _below(value: float, key: str, profile: Profile) -> tuple[Verdict, float] | None:
    """The verdict a score or area asks for and the limit it missed."""
    if value < _limit(profile.reject, key):
        return Verdict.REJECT, _limit(profile.reject, key)
    return (Verdict.REVIEW, _limit(profile.review, key)) if value < _limit(profile.review, key) else None


def _limit(limits: Limits, key: str) -> float:
    return float(getattr(limits, key))
