"""Decoding alone. In: a slide that was watched. Out: the same reads again, timed; tasks side by side."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from qc.geometry import Mpp, Size
from qc.slide.files import SlideFile, open_slide
from qc.slide.protocol import Level, Slide

T = TypeVar("T")


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


def decode_seconds(file: SlideFile, reads: Sequence[Read], threads: int) -> float:
    """Time of the reads by OpenSlide alone, opening apart."""
    with closing(open_slide(file)) as slide:

        def read(one: Read) -> None:
            slide.read(one.level, one.x, one.y, one.size)

        return seconds_of(read, reads, threads)


def seconds_of(task: Callable[[T], object], items: Sequence[T], threads: int) -> float:
    """Time of a task on all items, several side by side."""
    started = time.perf_counter()
    if threads == 1:
        for item in items:
            task(item)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(task, items):
                pass
    return time.perf_counter() - started
