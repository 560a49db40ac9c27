"""The domain gate, measured. In: declared slides. Out: distances of slides that should lie inside and outside.

A training slide, and whatever is made of one, is measured against the reference of the other training slides.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qc.config.domain import DomainSources
from qc.domain.features import measure_patch, slide_features
from qc.domain.fit import Looks, Vary, own_features, slide_looks, train_slides, without
from qc.domain.reference import DomainReference
from qc.domain.slides import DomainSlide, read_slides
from qc.evaluate.domain_variants import INSIDE, OUTSIDE, Patch


@dataclass(frozen=True)
class DomainCase:
    """One slide, measured.

    Attributes:
        group: What it is.
        slide: Its name.
        belongs_inside: Where it should lie.
        is_made: True for what was made of a training slide.
        distance: As a multiple of the limit; NaN when it cannot be computed.
    """

    group: str
    slide: str
    belongs_inside: bool
    is_made: bool
    distance: float


def evaluate_domain(
    sources: DomainSources,
    root: Path,
    reference: DomainReference,
    vary: Vary,
    progress: Callable[[str], None] = lambda _slide: None,
) -> list[DomainCase]:
    """Measure training slides left out one by one, what is made of them, and slides of other sources.

    Args:
        sources: The slides.
        root: Data folder that their paths start from.
        reference: The reference in force, for other sources.
        vary: The augmentation that it was fitted with.
        progress: Told about each slide.

    Raises:
        SettingsError: If a source cannot be used.
    """
    slides = train_slides(sources, root)
    looks = {slide.name: slide_looks(slide, vary, sources.looks, seed) for seed, slide in enumerate(slides)}
    cases = []
    for slide in slides:
        progress(slide.name)
        cases += _training_cases(slide, looks, sources.quantile)
    for source in sources.sources:
        if source.use != "train":
            for slide in read_slides(source, root):
                progress(slide.name)
                distance = reference.distance(own_features(slide))
                cases.append(DomainCase(source.name, slide.name, source.use == "inside", False, distance))
    return cases


def _training_cases(slide: DomainSlide, looks: Looks, quantile: float) -> Iterator[DomainCase]:
    others = without(looks, slide.name, quantile)
    yield DomainCase("training slides, left out", slide.name, True, False, others.distance(own_features(slide)))
    for belongs_inside, variants in ((True, INSIDE), (False, OUTSIDE)):
        for group, change in variants.items():
            distance = _distance(change(slide.patches), others)
            yield DomainCase(group, slide.name, belongs_inside, True, distance)


def _distance(patches: Sequence[Patch], reference: DomainReference) -> float:
    return reference.distance(slide_features([measure_patch(*patch) for patch in patches]))
