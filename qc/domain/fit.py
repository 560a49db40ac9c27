"""Fitting the domain gate's reference. In: training slides and how networks see them varied. Out: a reference file.

What networks were trained on is more than the training slides: every look that augmentation gave them counts. So each
slide is measured as it is and in some varied looks, every other patch at a time, and mean and covariance are those of
all looks together; the covariance is shrunk (Ledoit and Wolf 2004), because the slides are few.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2
from sklearn.covariance import LedoitWolf

from qc.config.domain import DomainSources
from qc.config.toml import load_settings
from qc.domain.features import FEATURES, Features, Rgb, measure_patch, slide_features
from qc.domain.reference import DomainCard, DomainReference, SourceNote, write_reference
from qc.domain.slides import DomainSlide, read_slides
from qc.errors import SettingsError

Vary = Callable[[Rgb, int], Rgb]
"""A patch as another laboratory would have stained and scanned it; equal seeds give equal laboratories."""
Looks = Mapping[str, NDArray[np.float64]]
"""By slide: (looks, 6) features, the slide as it is first."""

_PATCHES_PER_LOOK = 12
_SLIDES_MIN = 5


def fit(sources_path: Path, root: Path, out: Path, vary: Vary, varied_as: str, version: str) -> DomainReference:
    """Fit a reference on the training slides of a sources file and write it.

    Args:
        sources_path: TOML file of `DomainSources`.
        root: Data folder that its paths start from.
        out: JSON file to write; its stem becomes the reference's name.
        vary: The augmentation that networks are trained with.
        varied_as: Its settings, for the card.
        version: Version of the software, for the card.

    Raises:
        SettingsError: If the sources cannot be used.
    """
    sources = load_settings(DomainSources, sources_path)
    slides = train_slides(sources, root)
    looks = {slide.name: slide_looks(slide, vary, sources.looks, seed) for seed, slide in enumerate(slides)}
    notes = tuple(
        SourceNote(name=s.name, files=s.files, licence=s.licence, slides=sum(slide.source == s for slide in slides))
        for s in sources.sources
        if s.use == "train"
    )
    reference = fit_domain(looks, sources.quantile, out.stem, notes, varied_as, version)
    write_reference(reference, out)
    return reference


def train_slides(sources: DomainSources, root: Path) -> list[DomainSlide]:
    """The slides that a reference is fitted on."""
    return [slide for source in sources.sources if source.use == "train" for slide in read_slides(source, root)]


def slide_looks(slide: DomainSlide, vary: Vary, looks: int, seed: int) -> NDArray[np.float64]:
    """(1 + looks, 6) features: of all patches as they are, then of every other patch, varied, one look each.

    Looks without enough stained tissue are left out.
    """
    rows = [own_features(slide)]
    for look in range(looks):
        some = slide.patches[look % 2 :: 2][:_PATCHES_PER_LOOK] or slide.patches
        rows.append(slide_features([measure_patch(vary(rgb, 1000 * seed + look), mask) for rgb, mask in some]))
    return np.array([row for row in rows if np.isfinite(row).all()]).reshape(-1, len(FEATURES))


def own_features(slide: DomainSlide) -> Features:
    """Features of a slide as it is."""
    return slide_features([measure_patch(*patch) for patch in slide.patches])


def fit_domain(
    looks: Looks, quantile: float, name: str, sources: Sequence[SourceNote], varied_as: str, version: str
) -> DomainReference:
    """Reference of all slides, with each slide's distance from the reference of the others in its card.

    Args:
        looks: By slide, features of its looks.
        quantile: Share of looks within the limit if they are normal; the limit is chi-square's quantile.
        name: Name of the reference.
        sources: What it is fitted on, for the card.
        varied_as: How looks were varied, for the card.
        version: Version of the software, for the card.

    Raises:
        SettingsError: If there are fewer than five slides.
    """
    known = {slide: rows for slide, rows in looks.items() if len(rows)}
    if len(known) < _SLIDES_MIN:
        raise SettingsError(f"{len(known)} slides are too few for a reference", f"name at least {_SLIDES_MIN}")
    left_out = {slide: round(without(known, slide, quantile).distance(rows[0]), 4) for slide, rows in known.items()}
    reference, shrinkage = _reference(np.concatenate(list(known.values())), quantile, name)
    card = DomainCard(
        sources=tuple(sources),
        looks=max(len(rows) for rows in known.values()) - 1,
        varied_as=varied_as,
        quantile=quantile,
        shrinkage=shrinkage,
        left_out=left_out,
        software_version=version,
    )
    return reference.model_copy(update={"card": card})


def without(looks: Looks, slide: str, quantile: float) -> DomainReference:
    """The reference of all slides but one."""
    rows = np.concatenate([rows for name, rows in looks.items() if name != slide])
    return _reference(rows, quantile, f"without {slide}")[0]


def _reference(rows: NDArray[np.float64], quantile: float, name: str) -> tuple[DomainReference, float]:
    """A reference without a card, and its shrinkage; features are shrunk at unit variance."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    if not (spread > 0).all():
        raise SettingsError("a feature is the same on all slides", "name slides that differ")
    shrunk = LedoitWolf().fit((rows - mean) / spread)
    precision = np.linalg.inv(shrunk.covariance_ * np.outer(spread, spread))
    reference = DomainReference(
        name=name,
        features=FEATURES,
        mean=tuple(mean.tolist()),
        precision=tuple(tuple(row) for row in precision.tolist()),
        limit=_limit(quantile),
    )
    return reference, float(shrunk.shrinkage_)


def _limit(quantile: float) -> float:
    """Mahalanobis distance within which that share of a normal distribution lies."""
    return math.sqrt(float(chi2.ppf(quantile, len(FEATURES))))
