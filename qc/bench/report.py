"""What was timed, for people. In: times of slides and networks. Out: Markdown."""

import os
import platform
import statistics
from collections.abc import Iterator, Sequence

from qc.artefact.network.agreement import Agreement
from qc.bench.networks import NetworkTimings
from qc.bench.slides import Timing
from qc.bench.tiles import TILE_PX
from qc.figures.table import table
from qc.slide.reader import library_version
from qc.version import __version__


def benchmark_markdown(timings: Sequence[Timing], networks: NetworkTimings | str, command: str) -> str:
    """A report.

    Args:
        timings: Whole slides.
        networks: Networks on tiles, or why there are none.
        command: That wrote it.
    """
    return "\n".join([*_head(command), *_slides(timings), *_networks(networks)]) + "\n"


def _head(command: str) -> Iterator[str]:
    yield "# Speed against the decoder\n"
    yield f"Written by `{command}`, SlideGate {__version__}, OpenSlide {library_version()}, Python"
    yield f"{platform.python_version()}, {os.cpu_count()} cores ({_processor()}).\n"


def _slides(timings: Sequence[Timing]) -> Iterator[str]:
    yield "## Whole slides\n"
    yield "Decoding is OpenSlide alone reading the very pixels that the assessment reads, from a warm file cache;"
    yield "ratios are medians of pairs. Peak memory is that of the whole process, all rows before it included.\n"
    yield from table(
        [
            *("slide", "artefacts by", "pixels", "tissue mm2", "decoded Mpx"),
            *("decode, 1 thread (s)", "decode, n threads (s)", "assess (s)"),
            *("threads", "ratio to 1 thread", "ratio to n threads", "peak MiB"),
        ],
        [
            [
                *(t.slide_id, t.stage, t.size, f"{t.tissue_mm2:.1f}", f"{t.megapixels:.1f}"),
                *(f"{statistics.median(times):.2f}" for times in (t.decode_1, t.decode_n, t.assess)),
                *(t.threads, f"{t.ratio_1:.2f}", f"{t.ratio_n:.2f}", f"{t.peak_mib:.0f}"),
            ]
            for t in timings
        ],
    )


def _networks(networks: NetworkTimings | str) -> Iterator[str]:
    yield "\n## Networks\n"
    if isinstance(networks, str):
        yield f"Not timed: {networks}."
        return
    decode = 1000 * statistics.median(networks.decode_s)
    yield f"Milliseconds per tile of {TILE_PX} px, medians. {networks.tiles} tiles, spread over the slides above, run"
    yield f"{networks.threads} at once with one thread each, all networks and decoding in turn. OpenSlide needs"
    yield f"{decode:.1f} ms to decode a tile's pixels. Our network ({networks.network}) takes tiles with their halo."
    yield "Of GrandQC (Weng et al. 2024, doi:10.1038/s41467-024-54769-y) only the architectures are timed, rebuilt and"
    yield "untrained; what the tool does around them is left out.\n"
    yield from table(
        [
            *("network", "run by", "parameters (millions)", "input px"),
            *("ms per tile", "ratio to decoding", "ratio to ours"),
        ],
        [
            [
                *(t.name, t.engine, f"{t.parameters / 1e6:.2f}", t.input_px),
                *(f"{1000 * statistics.median(t.tile_s):.1f}", f"{networks.ratio(t):.2f}", f"{networks.slower(t):.2f}"),
            ]
            for t in networks.timings
        ],
    )
    if networks.rounded is not None:
        yield from _rounded(networks.rounded)


def _rounded(found: Agreement) -> Iterator[str]:
    yield f"\nIn 8 bits the network calls {100 * found.share:.2f} % of the cells of these tiles the same as in 32, and"
    yield f"{100 * found.called_share:.2f} % of those that either calls an artefact; its suspicion differs by"
    yield f"{found.mean_difference:.4f} in the mean."


def _processor() -> str:
    return platform.processor() or platform.machine()
