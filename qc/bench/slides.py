"""How fast an assessment is against the decoder it stands on. In: slide files. Out: times and their ratio.

One assessment is watched to learn which pixels it reads; then those very reads are repeated through
OpenSlide alone. Both run on a warm file cache, in turn, and medians are compared.
"""

import resource
import statistics
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from qc.artefact.choose import artefact_stage
from qc.bench.decoding import WatchedSlide, decode_seconds
from qc.config.assess import AssessSettings
from qc.config.profile import Profile
from qc.geometry import Size
from qc.pipeline.assess import assess_slide
from qc.record import Assessed, Stamp
from qc.slide.files import SlideFile, open_slide
from qc.slide.protocol import Slide
from qc.version import __version__

StageName = Literal["rules", "network"]


@dataclass(frozen=True)
class Timing:
    """Seconds for one slide, each list one entry per repeat.

    Attributes:
        slide_id: The slide.
        stage: What found artefacts.
        size: Level-0 size in pixels.
        tissue_mm2: Tissue area.
        megapixels: Pixels decoded, in millions.
        decode_1: OpenSlide alone, one thread.
        decode_n: OpenSlide alone, as many threads as the assessment.
        assess: The whole assessment, without writing files.
        threads: Threads of the assessment.
        peak_mib: Peak memory of the process so far, MiB.
    """

    slide_id: str
    stage: StageName
    size: Size
    tissue_mm2: float
    megapixels: float
    decode_1: tuple[float, ...]
    decode_n: tuple[float, ...]
    assess: tuple[float, ...]
    threads: int
    peak_mib: float

    @property
    def ratio_1(self) -> float:
        """Median over repeats of assessment / one-thread decoding, pair by pair."""
        return statistics.median(a / d for a, d in zip(self.assess, self.decode_1, strict=True))

    @property
    def ratio_n(self) -> float:
        """The same against decoding with all threads."""
        return statistics.median(a / d for a, d in zip(self.assess, self.decode_n, strict=True))


def with_stage(settings: AssessSettings, stage: StageName) -> AssessSettings:
    """The same settings with another artefact stage."""
    return settings.model_copy(update={"artefact": settings.artefact.model_copy(update={"stage": stage})})


def time_slide(file: SlideFile, settings: AssessSettings, profile: Profile, repeats: int, threads: int) -> Timing:
    """Time one slide with the artefact stage of the settings.

    Raises:
        SlideError: If the slide cannot be assessed.
        WeightsError: If the settings ask for a network that is not there.
    """
    with closing(WatchedSlide(open_slide(file))) as watched:
        record = _assess(watched, file, settings, profile, threads)
        reads, size = list(watched.reads), watched.size
    decode_1, decode_n, assess = [], [], []
    for _ in range(repeats):
        decode_1.append(decode_seconds(file, reads, 1))
        decode_n.append(decode_seconds(file, reads, threads))
        with closing(open_slide(file)) as slide:
            started = time.perf_counter()
            _assess(slide, file, settings, profile, threads)
            assess.append(time.perf_counter() - started)
    return Timing(
        slide_id=file.slide_id,
        stage=settings.artefact.stage,
        size=size,
        tissue_mm2=record.tissue_mm2,
        megapixels=sum(read.size.area for read in reads) / 1e6,
        decode_1=tuple(decode_1),
        decode_n=tuple(decode_n),
        assess=tuple(assess),
        threads=threads,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _assess(slide: Slide, file: SlideFile, settings: AssessSettings, profile: Profile, threads: int) -> Assessed:
    stamp = Stamp.unkept(file.slide_id, str(file.path), __version__)
    return assess_slide(slide, stamp, settings, profile, artefact_stage(settings), threads).record
