"""What stays together. In: cohort lines and groups of slides that look alike. Out: units, each in one part later on."""

from collections.abc import Iterable
from dataclasses import dataclass

from scipy.cluster.hierarchy import DisjointSet

from qc.cohort_table import CohortSlide


@dataclass(frozen=True)
class Unit:
    """One patient, or several whose slides are near-duplicates.

    Attributes:
        patients: Their names, sorted.
        slides: All their slides, by name.
    """

    patients: tuple[str, ...]
    slides: tuple[CohortSlide, ...]

    @property
    def name(self) -> str:
        """For people."""
        return " + ".join(self.patients)

    def texts(self, column: str) -> frozenset[str]:
        """Values of a column of text over all slides; the label is such a column. Empty when none is known."""
        found = (slide.label if column == "label" else str(slide.clinical[column]) for slide in self.slides)
        return frozenset(filter(None, found))

    def mean(self, column: str) -> float:
        """Mean of a column of numbers over the slides that state one; NaN when none does."""
        found = [value for slide in self.slides if (value := float(slide.clinical[column])) == value]
        return sum(found) / len(found) if found else float("nan")


def make_units(slides: Iterable[CohortSlide], alike: Iterable[tuple[str, ...]] = ()) -> tuple[Unit, ...]:
    """Patients in order of their names, those joined whose slides look alike.

    Args:
        slides: Lines of the cohort table.
        alike: Names of slides that look alike, group by group.
    """
    lines = sorted(slides, key=lambda line: line.slide)
    patient_of = {line.slide: line.patient for line in lines}
    joined = DisjointSet(sorted(set(patient_of.values())))
    for group in alike:
        for slide in group[1:]:
            joined.merge(patient_of[group[0]], patient_of[slide])
    groups = sorted(tuple(sorted(group)) for group in joined.subsets())
    return tuple(Unit(group, tuple(line for line in lines if line.patient in group)) for group in groups)
