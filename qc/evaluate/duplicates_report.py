"""What near-duplicates were measured at, as a report in Markdown."""

from collections.abc import Iterator

import numpy as np

from qc.cohort.duplicates import HASH_BITS
from qc.evaluate.duplicates import Duplicates
from qc.figures.table import table
from qc.version import __version__

_LIMITS = range(40, 105, 8)
_CLOSEST = 8


def duplicates_markdown(measured: Duplicates, limit: int, command: str) -> str:
    """The report; `limit` is the default of `qc split`."""
    return "\n".join(_lines(measured, limit, command)) + "\n"


def _lines(measured: Duplicates, limit: int, command: str) -> Iterator[str]:
    strangers = np.array([pair.bits for pair in measured.pairs if not pair.is_one_block])
    yield "# Near-duplicate slides\n"
    yield f"Written by `{command}`, SlideGate {__version__}.\n"
    yield f"{len(measured.slides)} real overviews; the hash has {HASH_BITS} bits, the limit is {limit}. The limit was"
    yield "chosen on these overviews, so the figures say how far apart copies and others lie, not what to expect"
    yield "elsewhere. Copies are altered by computation, which is kinder than a second scan.\n"
    yield "## Altered copies\n"
    rows = []
    for name, bits in measured.copies.items():
        found = sum(one <= limit for one in bits)
        hardest = measured.slides[int(np.argmax(bits))]
        rows.append([name, f"{np.median(bits):.0f}", max(bits), f"{found} of {len(bits)}", hardest])
    yield from table(["alteration", "median bits", "most bits", "found", "hardest slide"], rows)
    yield "\n## Other slides\n"
    yield f"{strangers.size} pairs of slides from different blocks: least {strangers.min()} bits, median"
    yield f"{np.median(strangers):.0f}, standard deviation {strangers.std():.1f}; the limit lies"
    yield f"{(np.median(strangers) - limit) / strangers.std():.1f} standard deviations below the median.\n"
    farther = [pair for pair in measured.pairs[_CLOSEST:] if pair.is_one_block]
    rows = [
        [
            f"{pair.first}, {pair.second}{' (one block)' if pair.is_one_block else ''}",
            *(pair.bits, "yes" if pair.bits <= limit else "no"),
        ]
        for pair in [*measured.pairs[:_CLOSEST], *farther]
    ]
    yield from table(["closest pairs", "bits", "near-duplicates"], rows)
    yield "\n## Other limits\n"
    copies = np.array([bit for bits in measured.copies.values() for bit in bits])
    rows = [
        [one, f"{(copies <= one).mean():.1%}", f"{int((strangers <= one).sum())} of {strangers.size}"]
        for one in sorted({*_LIMITS, limit})
    ]
    yield from table(["limit, bits", "copies found", "pairs of other blocks taken for copies"], rows)
    yield "\nPairs of one block are known by eye: two slides published twice at other resolutions, the neighbouring"
    yield "section of one of them in another stain, and a slide of which another shows a part. Sections of one block"
    yield "lie micrometres apart, look alike and belong to one patient. Finding them is wanted, but not promised; a"
    yield "part of a slide is not found."
