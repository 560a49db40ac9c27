"""`qc bench`."""

from pathlib import Path

import click

from qc.cli.bench_viewer import bench_viewer
from qc.cli.bench_worklist import bench_worklist
from qc.cli.options import AnyPath, load_assess_settings, mpp_option, profile_option, settings_option


class _SlidesByDefault(click.Group):
    """`qc bench SLIDE` is `qc bench slides SLIDE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the word in that was left out."""
        is_named = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if is_named else ["slides", *args])


@click.group(cls=_SlidesByDefault)
def bench() -> None:
    """Time what should be quick: assessments (`qc bench SLIDE`), the viewer, a large worklist."""


@bench.command("slides")
@click.argument("slides", nargs=-1, type=AnyPath)
@click.option("--large-px", type=click.IntRange(4096), help="Also time a synthetic slide this wide and high, pixels.")
@mpp_option
@profile_option
@settings_option
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True, help="Timed pairs per slide.")
@click.option("--threads", type=click.IntRange(1), help="Threads of the assessment; default is the number of cores.")
@click.option("--tiles", type=click.IntRange(1), default=24, show_default=True, help="Tiles that networks run on.")
@click.option("--out", type=AnyPath, default=Path("reports/benchmark.md"), show_default=True, help="Report to write.")
def bench_slides(
    slides: tuple[Path, ...],
    large_px: int | None,
    mpp: float | None,
    profile_name: str,
    settings_path: Path | None,
    repeats: int,
    threads: int | None,
    tiles: int,
    out: Path,
) -> None:
    """Time assessments and networks against OpenSlide decoding the same pixels; write the ratios to a report."""
    import os
    import shlex
    import sys
    import tempfile
    from itertools import product

    import cv2

    from qc.bench.slides import StageName, time_slide, with_stage
    from qc.bench.tiles import sample_tiles
    from qc.config.profile import load_profile
    from qc.files import write_text
    from qc.geometry import Mpp
    from qc.phantom.large import write_large
    from qc.slide.files import find_slides

    if not slides and large_px is None:
        raise click.UsageError("name a slide, or pass --large-px")
    cv2.setNumThreads(1)
    settings, profile = load_assess_settings(settings_path), load_profile(profile_name)
    cores = threads or os.cpu_count() or 1
    network, missing = _network(settings.artefact.network)
    stages: tuple[StageName, ...] = ("rules",) if network is None else ("rules", "network")
    timings = []
    with tempfile.TemporaryDirectory() as folder:
        paths = list(slides)
        if large_px is not None:
            paths.append(Path(folder) / f"large-{large_px}.tiff")
            write_large(paths[-1], large_px)
        files = find_slides(paths, Mpp(mpp) if mpp else None)
        for file, stage in product(files, stages):
            timing = time_slide(file, with_stage(settings, stage), profile, repeats, cores)
            click.echo(
                f"{timing.slide_id} by {stage}: {timing.ratio_1:.2f} x decoding in one thread, "
                f"{timing.ratio_n:.2f} x in {timing.threads}, {timing.peak_mib:.0f} MiB"
            )
            timings.append(timing)
        from qc.bench.networks import time_networks  # only now, for torch weighs on the memory measured above

        networks = missing
        if network is not None:
            networks = time_networks(network, sample_tiles(files, settings, tiles), repeats, cores)
    from qc.bench.report import benchmark_markdown

    given = [Path(word).name if Path(word).exists() else word for word in sys.argv[1:]]
    write_text(out, benchmark_markdown(timings, networks, f"qc {shlex.join(given)}"))
    click.echo(f"written to {out}")


bench.add_command(bench_viewer)
bench.add_command(bench_worklist)


def _network(name: str) -> tuple[Path | None, str]:
    """The folder of a network, or why there is none."""
    from qc.errors import WeightsError
    from qc.nets.packaged import network_folder

    try:
        return network_folder(name), ""
    except WeightsError as error:
        return None, error.message
