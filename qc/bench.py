"""How fast an assessment is against the decoder it stands on. In: slide files. Out: times and their ratio.

One assessment is watched to learn which pixels it reads; then those very reads are repeated through
OpenSlide alone. Both run on a warm file cache, in turn, and medians are compared.
"""

import os
import platform
import resource
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qc import __version__
from qc.artefact.choose import artefact_stage
from qc.config.assess import AssessSettings
from qc.config.profile import Profile
from qc.geometry import Mpp, Size
from qc.pipeline.assess import assess_slide
from qc.record import Assessed, Stamp
from qc.slide.files import SlideFile, open_slide
from qc.slide.protocol import Level, Slide
from qc.slide.reader import library_version


@dataclass(frozen=True)
class Read:
    """One call of `Slide.read`."""

    level: int
    x: int
    y: int
    size: Size


@dataclass(frozen=True)
class WatchedSlide:
    """A slide that notes what is read from it."""

    slide: Slide
    reads: list[Read] = field(default_factory=list)

    @property
    def name(self) -> str:
        """See `Slide`."""
        return self.slide.name

    @property
    def size(self) -> Size:
        """See `Slide`."""
        return self.slide.size

    @property
    def mpp(self) -> Mpp:
        """See `Slide`."""
        return self.slide.mpp

    @property
    def levels(self) -> tuple[Level, ...]:
        """See `Slide`."""
        return self.slide.levels

    @property
    def properties(self) -> Mapping[str, str]:
        """See `Slide`."""
        return self.slide.properties

    def read(self, level: int, x: int, y: int, size: Size) -> NDArray[np.uint8]:
        """See `Slide.read`."""
        self.reads.append(Read(level, x, y, size))
        return self.slide.read(level, x, y, size)

    def close(self) -> None:
        """See `Slide`."""
        self.slide.close()


@dataclass(frozen=True)
class Timing:
    """Seconds for one slide, each list one entry per repeat.

    Attributes:
        slide_id: The slide.
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


def time_slide(file: SlideFile, settings: AssessSettings, profile: Profile, repeats: int, threads: int) -> Timing:
    """Time one slide.

    Raises:
        SlideError: If the slide cannot be assessed.
    """
    with closing(WatchedSlide(open_slide(file))) as watched:
        record = _assess(watched, file, settings, profile, threads)
        reads, size = list(watched.reads), watched.size
    decode_1, decode_n, assess = [], [], []
    for _ in range(repeats):
        decode_1.append(_timed_decode(file, reads, 1))
        decode_n.append(_timed_decode(file, reads, threads))
        with closing(open_slide(file)) as slide:
            started = time.perf_counter()
            _assess(slide, file, settings, profile, threads)
            assess.append(time.perf_counter() - started)
    return Timing(
        slide_id=file.slide_id,
        size=size,
        tissue_mm2=record.tissue_mm2,
        megapixels=sum(read.size.area for read in reads) / 1e6,
        decode_1=tuple(decode_1),
        decode_n=tuple(decode_n),
        assess=tuple(assess),
        threads=threads,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def markdown(timings: Sequence[Timing], command: str) -> str:
    """A report of timings."""
    return "\n".join(_lines(timings, command)) + "\n"


def _lines(timings: Sequence[Timing], command: str) -> Iterator[str]:
    yield "# Speed against the decoder\n"
    yield f"Written by `{command}`, SlideGate {__version__}, OpenSlide {library_version()}, Python"
    yield f"{platform.python_version()}, {os.cpu_count()} cores ({_processor()}).\n"
    yield "Decoding is OpenSlide alone reading the very pixels that the assessment reads, from a warm file cache;"
    yield "ratios are medians of pairs. Peak memory is that of the whole process, all slides before it included.\n"
    yield (
        "| slide | pixels | tissue mm2 | decoded Mpx | decode, 1 thread (s) | decode, n threads (s) | assess (s) "
        "| threads | ratio to 1 thread | ratio to n threads | peak MiB |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for t in timings:
        medians = (statistics.median(times) for times in (t.decode_1, t.decode_n, t.assess))
        yield (
            f"| {t.slide_id} | {t.size} | {t.tissue_mm2:.1f} | {t.megapixels:.1f} | "
            + " | ".join(f"{median:.2f}" for median in medians)
            + f" | {t.threads} | {t.ratio_1:.2f} | {t.ratio_n:.2f} | {t.peak_mib:.0f} |"
        )


def _assess(slide: Slide, file: SlideFile, settings: AssessSettings, profile: Profile, threads: int) -> Assessed:
    stamp = Stamp.unkept(file.slide_id, str(file.path), __version__)
    return assess_slide(slide, stamp, settings, profile, artefact_stage(settings), threads).record


def _timed_decode(file: SlideFile, reads: Sequence[Read], threads: int) -> float:
    with closing(open_slide(file)) as slide:

        def read(one: Read) -> None:
            slide.read(one.level, one.x, one.y, one.size)

        started = time.perf_counter()
        if threads == 1:
            for one in reads:
                read(one)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(read, reads))
        return time.perf_counter() - started


def _processor() -> str:
    return platform.processor() or platform.machine()
