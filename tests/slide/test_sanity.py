from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from PIL import Image

from qc.config.assess import AssessSettings
from qc.errors import (
    ImplausibleColourError,
    ImplausibleMppError,
    MissingMppError,
    NotBrightfieldError,
    NoTissueError,
    NoUsableLevelError,
    OnlyPaddingError,
    SlideError,
    TooSmallError,
    TruncatedSlideError,
    UnopenableSlideError,
)
from qc.geometry import Mpp, Size
from qc.pipeline.assess import look
from qc.slide.files import SlideFile, open_slide
from qc.slide.memory import MemorySlide
from qc.slide.protocol import Level


@dataclass(frozen=True)
class OneLevelSlide:
    """A scan of 100 000 x 80 000 pixels without a pyramid; whoever decodes it would need 30 GB."""

    size: Size
    mpp: Mpp
    name: str = "flat.svs"
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def levels(self):
        return (Level(self.size, 1.0),)

    def read(self, level, x, y, size):
        pytest.fail("read although nothing can be gained by it")

    def close(self):
        pass


def memory(rgb, mpp=1.0):
    return MemorySlide(np.ascontiguousarray(rgb), Mpp(mpp), "a.svs")


def light_on_black(rgb):
    return memory(255 - np.minimum(rgb, 244) - 11)


def no_slide(tmp_path):
    (tmp_path / "a.svs").write_text("no slide")
    return open_slide(SlideFile(tmp_path / "a.svs"))


def cut_png(tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:-5000])
    return open_slide(SlideFile(tmp_path / "a.png", Mpp(1.0)))


def plain_png(tmp_path):
    Image.new("RGB", (400, 400)).save(tmp_path / "a.png")
    return open_slide(SlideFile(tmp_path / "a.png"))


def nothing_but_glass(rgb):
    noise = np.random.default_rng(0).integers(238, 244, rgb.shape, np.uint8)
    return memory(noise)


def ycbcr(rgb):
    return memory(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]])


CASES = {
    "unopenable": (UnopenableSlideError, lambda rgb, tmp: no_slide(tmp)),
    "truncated": (TruncatedSlideError, lambda rgb, tmp: cut_png(tmp)),
    "mpp_missing": (MissingMppError, lambda rgb, tmp: plain_png(tmp)),
    "mpp_implausible": (ImplausibleMppError, lambda rgb, tmp: memory(rgb, 16.8)),
    "too_small": (TooSmallError, lambda rgb, tmp: memory(rgb[:150])),
    "no_usable_level": (NoUsableLevelError, lambda rgb, tmp: OneLevelSlide(Size(100_000, 80_000), Mpp(0.25))),
    "only_padding": (OnlyPaddingError, lambda rgb, tmp: memory(np.full_like(rgb, 255))),
    "not_brightfield": (NotBrightfieldError, lambda rgb, tmp: light_on_black(rgb)),
    "colour_implausible": (ImplausibleColourError, lambda rgb, tmp: ycbcr(rgb)),
    "no_tissue": (NoTissueError, lambda rgb, tmp: nothing_but_glass(rgb)),
}


@pytest.mark.parametrize("reason", CASES)
def test_a_slide_that_cannot_be_believed_is_refused_with_its_reason_and_a_way_out(tissue_rgb, tmp_path, reason):
    kind, make = CASES[reason]

    with pytest.raises(SlideError) as caught:
        look(make(tissue_rgb, tmp_path), AssessSettings())

    assert type(caught.value) is kind
    assert caught.value.reason == reason
    assert caught.value.message.startswith(("a.", "flat."))
    assert len(caught.value.hint.split()) > 1


def test_every_reason_in_the_error_tree_has_a_case_here():
    assert {kind.reason for kind in SlideError.__subclasses__()} == set(CASES)


def test_a_good_slide_passes_and_its_tissue_is_found(memory_slide):
    sight = look(memory_slide, AssessSettings())

    assert 1.0 < sight.tissue.area_mm2 < 2.2
    assert sight.is_scanned[:-1].all()  # the coarsest level lacks the last half row


@pytest.mark.parametrize("edge", [0.1, 5.0])
def test_the_ends_of_the_plausible_mpp_are_plausible(tissue_rgb, edge):
    try:
        look(memory(tissue_rgb, edge), AssessSettings())
    except SlideError as error:
        assert not isinstance(error, ImplausibleMppError)  # noqa: PT017  any other reason is none of this test


def test_full_frame_tissue_without_glass_is_not_taken_for_a_wrong_colour(tissue_rgb):
    assert look(memory(tissue_rgb[700:1300, 800:1500]), AssessSettings()).tissue.area_mm2 > 0.3


def test_pale_tissue_without_dark_nuclei_is_not_taken_for_ycbcr(tissue_rgb):
    pale = (255 - (255 - tissue_rgb.astype(float)) * 0.35).astype(np.uint8)

    assert look(memory(pale), AssessSettings()).tissue.area_mm2 > 1


@pytest.mark.parametrize("padding", [0, 255])
def test_padding_around_a_scan_is_neither_darkness_nor_glass(tissue_rgb, padding):
    padded = np.full((1900, 4400, 3), padding, np.uint8)
    padded[:, :2200] = tissue_rgb

    sight = look(memory(padded), AssessSettings())

    assert 0.45 < sight.is_scanned.mean() < 0.55
    assert 1.0 < sight.tissue.area_mm2 < 2.2


def test_a_transparent_slide_was_not_scanned(tissue_rgb):
    rgba = np.dstack([tissue_rgb, np.zeros(tissue_rgb.shape[:2], np.uint8)])

    with pytest.raises(OnlyPaddingError):
        look(memory(rgba), AssessSettings())
