"""Manifests: built from what is known about slides, or decided anew from the shares that a manifest keeps."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from qc.config.filter import FilterSettings
from qc.errors import SettingsError
from qc.filtering.accounts import account
from qc.filtering.rules import reasons
from qc.filtering.standing import SlideFacts, guarded, standing
from qc.manifest import SLIDE_COLUMNS, TILE_COLUMNS, Manifest, ManifestNote, SlideStatus, slide_frame, tile_frame
from qc.version import __version__


@dataclass(frozen=True)
class FilteredSlide:
    """One slide's part of a manifest."""

    tiles: pd.DataFrame
    account: Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """Where a manifest comes from.

    Attributes:
        settings_fingerprint: Of the runs, which share it.
        runs: Their ids.
        profile: Name and version of the profile that judged the slides.
    """

    settings_fingerprint: str
    runs: tuple[str, ...]
    profile: str


def filter_slide(
    facts: SlideFacts,
    candidates: pd.DataFrame,
    settings: FilterSettings,
    settings_fingerprint: str,
    known: Mapping[str, Any] | None = None,
) -> FilteredSlide:
    """Decide on one slide and its tiles.

    Args:
        facts: What is known about it.
        candidates: What `find_candidates` gave, or `no_candidates` for a slide without a map.
        settings: The filter's settings.
        settings_fingerprint: Of the run.
        known: Its row of the cohort table: patient, label, clinical values.
    """
    known = known or {}
    tiles = candidates.assign(
        **{"slide_id": facts.slide_id, "path": facts.path, "split": "", "slide_mpp": facts.slide_mpp},
        **{"patient": known.get("patient", ""), "label": known.get("label", "")},
        **{"tile_px": settings.tiles.tile_px, "tile_mpp": settings.tiles.tile_mpp},
        **{"is_kept": True, "reason": "", "settings_fingerprint": settings_fingerprint},
    )
    typed = tiles.loc[:, list(TILE_COLUMNS)].astype(dict(TILE_COLUMNS))
    return _decided(facts, typed, settings, known)


def refilter(manifest: Manifest, settings: FilterSettings) -> Manifest:
    """The same candidates under other limits, guard or ignored classes; no map is read.

    Raises:
        SettingsError: If the settings ask for other tiles than the manifest holds.
    """
    before = FilterSettings.model_validate(manifest.note.filter_settings)
    for name in type(settings.tiles).model_fields:
        old, new = getattr(before.tiles, name), getattr(settings.tiles, name)
        if old != new:
            raise SettingsError(f"the manifest holds tiles of {name} {old:g}, not {new:g}", "filter the run again")
    of_slide = manifest.by_slide()
    parts = []
    for row in manifest.slides.to_dict("records"):
        facts = _facts(row)
        known = {name: row[name] for name in ("patient", "label", *manifest.clinical_columns)}
        tiles = of_slide[facts.slide_id]
        parts.append(_decided(facts, tiles, settings, known))
    note = manifest.note
    return assembled(parts, settings, Origin(note.settings_fingerprint, note.runs, note.profile))


def guarded_slides(manifest: Manifest) -> dict[str, str]:
    """Why the guard sent slides to a person, by slide id; slides that their verdict sent there are not among them."""
    settings = FilterSettings.model_validate(manifest.note.filter_settings)
    sent = [row for row in manifest.slides.to_dict("records") if row["status"] == SlideStatus.REVIEW]
    return {row["slide_id"]: row["why"] for row in sent if standing(_facts(row), settings).status is SlideStatus.KEPT}


def assembled(parts: Iterable[FilteredSlide], settings: FilterSettings, origin: Origin) -> Manifest:
    """All slides in one manifest."""
    slides = list(parts)
    tiles = [part.tiles for part in slides if len(part.tiles)]
    note = ManifestNote(
        software_version=__version__,
        settings_fingerprint=origin.settings_fingerprint,
        runs=origin.runs,
        profile=origin.profile,
        filter_settings=settings.model_dump(mode="json"),
        filter_fingerprint=settings.fingerprint,
    )
    table = pd.concat(tiles, ignore_index=True) if tiles else tile_frame()
    return Manifest(table, slide_frame(part.account for part in slides), note)


def _facts(row: Mapping[Hashable, Any]) -> SlideFacts:
    """What a slide's row of a manifest says."""
    return SlideFacts(**{field.name: row[field.name] for field in fields(SlideFacts)})


def _decided(
    facts: SlideFacts, tiles: pd.DataFrame, settings: FilterSettings, known: Mapping[str, Any]
) -> FilteredSlide:
    before = standing(facts, settings)
    why_gone = np.full(len(tiles), before.tile_reason, dtype=object) if before.tile_reason else reasons(tiles, settings)
    after = guarded(before, facts, len(tiles), int((why_gone == "").sum()), settings)
    if after.tile_reason and not before.tile_reason:
        why_gone = np.where(why_gone == "", after.tile_reason, why_gone)
    reason = pd.Series(why_gone, index=tiles.index, dtype="str")
    tiles = tiles.assign(reason=reason, is_kept=(reason == "").astype("bool"))
    row = asdict(facts) | {"status": str(after.status), "why": after.why} | account(tiles) | dict(known)
    ordered = {name: row[name] for name in (*SLIDE_COLUMNS, *known) if name in row}
    return FilteredSlide(tiles, ordered)
