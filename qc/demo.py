"""The demonstration: a cohort of phantoms, written once and assessed like any slides."""

from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

from qc.errors import QCError
from qc.phantom import CohortSpec, PhantomFile, is_written, write_phantom

_COHORT = "phantoms-demo.toml"


def demo_cohort_path() -> Path:
    """The demo's cohort file: beside the sources in a clone, inside the package when installed.

    Raises:
        QCError: If neither is there.
    """
    beside = Path(__file__).resolve().parents[1] / "datasets" / _COHORT
    inside = Path(str(resources.files("qc"))) / "phantom" / _COHORT
    found = next((path for path in (beside, inside) if path.is_file()), None)
    if found is None:
        raise QCError(f"{_COHORT} is missing from this installation", "pass --cohort")
    return found


def write_missing(cohort: CohortSpec, folder: Path, progress: Callable[[], None]) -> Sequence[Path]:
    """Write the cohort's slides that are not in `folder` yet as specified; returns the paths of all."""
    paths = []
    for spec in cohort.slides:
        file = PhantomFile.of(spec, folder)
        if not is_written(spec, folder):
            write_phantom(spec, folder)
        paths.append(file.path)
        progress()
    return paths
