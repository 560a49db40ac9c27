"""What many tests share: a small drawn slide in memory and on disc, the reference collection, and no silent skips."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from qc.geometry import Mpp
from qc.slide.memory import MemorySlide

# Torch reads it when it is loaded: threads of several test processes that wait for each other are slower by far.
os.environ.setdefault("OMP_NUM_THREADS", "1")

Rgb = NDArray[np.uint8]
WritePyramid = Callable[..., Path]

_HAEMATOXYLIN = np.array([0.65, 0.70, 0.29], np.float32)  # red, green, blue (Ruifrok and Johnston 2001)
_EOSIN = np.array([0.07, 0.99, 0.11], np.float32)
_GLASS = np.array([243.0, 242.0, 244.0], np.float32)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """With QC_CI=1 a skipped test is a failed one; only the reference collection may be absent."""
    report = yield
    needs_absent_data = item.get_closest_marker("data") is not None and "QC_DATA" not in os.environ
    if os.environ.get("QC_CI") == "1" and report.skipped and not hasattr(report, "wasxfail") and not needs_absent_data:
        report.outcome = "failed"
        report.longrepr = f"skipped although QC_CI=1: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """The same for a module that skips itself as a whole."""
    report = yield
    if os.environ.get("QC_CI") == "1" and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped although QC_CI=1: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def _one_thread_per_test_process() -> None:
    cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def qc_data() -> Path:
    """The reference collection."""
    named = os.environ.get("QC_DATA")
    if named is None:
        pytest.skip("QC_DATA does not name the reference collection")
    if not Path(named).is_dir():
        pytest.skip(f"QC_DATA names {named}, which is no folder")
    return Path(named)


def draw_slide(width: int = 2200, height: int = 1900, seed: int = 1) -> Rgb:
    """Pink and purple tissue on near-white glass at 1.0 mpp, by Beer-Lambert from two stain densities."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    wave = 0.08 * np.sin(x / 190) + 0.08 * np.cos(y / 160)
    inside = ((x / width - 0.5) / 0.36) ** 2 + ((y / height - 0.5) / 0.34) ** 2 + wave < 1
    nuclei = np.zeros((height, width), np.uint8)
    for cx, cy in zip(rng.integers(0, width, 7000).tolist(), rng.integers(0, height, 7000).tolist(), strict=True):
        cv2.circle(nuclei, (cx, cy), 4, 255, -1, cv2.LINE_AA)
    noise = rng.standard_normal((height, width), np.float32)
    grain, fibres = cv2.GaussianBlur(noise, (0, 0), 2.0), cv2.GaussianBlur(noise, (0, 0), 6.0)
    haematoxylin = inside * (0.06 + 0.55 / 255 * nuclei + 0.1 * np.abs(grain))
    eosin = inside * np.clip(0.22 + 0.6 * grain + 1.2 * fibres, 0.05, 0.6)
    density = haematoxylin[..., None] * _HAEMATOXYLIN + eosin[..., None] * _EOSIN
    light = _GLASS * 10**-density + noise[..., None]
    return np.clip(np.rint(light), 0, 254).astype(np.uint8)


@pytest.fixture(scope="session")
def tissue_rgb() -> Rgb:
    """(1900, 2200, 3) drawn slide at 1.0 mpp."""
    rgb = draw_slide()
    rgb.flags.writeable = False
    return rgb


@pytest.fixture(scope="session")
def memory_slide(tissue_rgb: Rgb) -> MemorySlide:
    """The drawn slide in memory."""
    return MemorySlide(tissue_rgb, Mpp(1.0), "drawn")


@pytest.fixture(scope="session")
def write_pyramid() -> WritePyramid:
    """Writes (path, rgb, mpp, levels) as a tiled JPEG pyramid that OpenSlide reads."""

    def write(path: Path, rgb: Rgb, mpp: float | None = 1.0, levels: int = 3, sub_ifds: bool = False) -> Path:
        with tifffile.TiffWriter(path) as writer:
            for level in range(levels):
                per_cm = 1e4 / (mpp * 2**level) if mpp else 1.0
                resolution = {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"} if mpp else {}
                height, width = rgb.shape[0] >> level, rgb.shape[1] >> level
                writer.write(
                    cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA),
                    tile=(256, 256),
                    photometric="rgb",
                    compression="jpeg",
                    compressionargs={"level": 92},
                    subfiletype=1 if level else 0,
                    subifds=levels - 1 if sub_ifds and level == 0 else None,
                    metadata=None,
                    maxworkers=1,
                    **resolution,
                )
        return path

    return write


@pytest.fixture(scope="session")
def pyramid_tiff(tissue_rgb: Rgb, write_pyramid: WritePyramid, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn slide as a three-level TIFF."""
    return write_pyramid(tmp_path_factory.mktemp("slides") / "drawn.tiff", tissue_rgb)


@pytest.fixture(scope="session")
def draw() -> Callable[..., Rgb]:
    """Draws a slide of (width, height, seed)."""
    return draw_slide


@pytest.fixture(scope="session")
def small_tiff(write_pyramid: WritePyramid, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slide of 1.0 x 0.9 mm as a three-level TIFF, for runs over several slides."""
    return write_pyramid(tmp_path_factory.mktemp("small") / "small.tiff", draw_slide(1000, 900))


@pytest.fixture(scope="session")
def network_folder(tissue_rgb: Rgb, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artefact network that was never trained, with statistics of the drawn slide: it calls all kinds of things."""
    import torch

    from qc.config.train import NetworkSettings
    from qc.nets.build import build
    from qc.nets.calibrated import Calibrated
    from qc.nets.card import SourceCard
    from qc.nets.weights import save

    classes = ("CLEAN", "FOLD", "FOREIGN", "PEN", "BUBBLE", "OUT_OF_FOCUS", "GLASS")
    network = build(NetworkSettings(), len(classes), seed=5)
    tiles = torch.from_numpy(np.stack([tissue_rgb[y : y + 128, 900:1028] for y in range(600, 1112, 128)]))
    with torch.no_grad():
        for _ in range(8):
            network(tiles)
    folder = tmp_path_factory.mktemp("network")
    save(
        Calibrated(network, 1.3, [0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).eval(),
        folder,
        name="drawn",
        task="artefact",
        classes=classes,
        mpp=1.0,
        thresholds=dict.fromkeys(classes[1:6], 0.5),
        sources=(SourceCard(name="drawn", licence="CC0", use="train", slides=("drawn",)),),
        held_out=(),
        settings_fingerprint="0",
        software_version="0",
        figures={},
    )
    return folder


@pytest.fixture(scope="session")
def labelled_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six images at 1.0 mpp, 96 x 64 px of tissue with a fold and some glass, each with a mask of class values."""
    folder = tmp_path_factory.mktemp("images")
    colours = np.full((8, 3), 0.0)
    colours[[1, 2, 7]] = (222, 140, 180), (110, 30, 100), (243, 242, 244)
    for number in range(6):
        rng = np.random.default_rng(number)
        mask = np.ones((64, 96), np.uint8)
        left = int(rng.integers(8, 24))
        mask[:, left : left + 24] = 2
        mask[:, 84:] = 7
        rgb = np.clip(colours[mask] + rng.normal(0, 8, (64, 96, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(rgb).save(folder / f"slide-{number}.png")
        Image.fromarray(mask).save(folder / f"slide-{number}.mask.tif")
    return folder


@pytest.fixture
def qc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[object, str, str]]:
    """Runs the command as a shell would; gives exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[object, str, str]:
        from qc.cli import main

        monkeypatch.setattr(sys, "argv", ["qc", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run
