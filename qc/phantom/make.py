"""A phantom in memory: pixels and exact truth from a specification."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.geometry import Grid, Mpp, Size
from qc.optics.artefact import lay_window, touched_window
from qc.optics.field import Bounds, Coords, Float
from qc.optics.stain import H_DAB, HE_MACENKO, HE_RUIFROK, StainPair, between, render
from qc.phantom.compartment import Compartment
from qc.phantom.metastases import outlines
from qc.phantom.place import Placed, label_map, place_artefacts
from qc.phantom.plan import PLAN_UM, Plan, plan_tissue
from qc.phantom.render import BLOCK_PX, render_stains, upsampled
from qc.phantom.scanner import exposed, illumination, noise_bank
from qc.phantom.spec import PhantomSpec
from qc.phantom.texture import OD_STEP

_LEVELS = 128  # of each stain in the table from two stains to a colour


@dataclass(frozen=True)
class PhantomTruth:
    """What is where, on cells of `mpp` from the slide's top left corner.

    Attributes:
        is_tissue: (H, W) bool; pale fat, lumina and narrow cracks are tissue, bare glass between pieces is not.
        classes: (H, W) uint8 of `ArtefactClass`: GLASS outside tissue, CLEAN or an artefact in it.
        mpp: Micrometres per cell.
    """

    is_tissue: NDArray[np.bool_]
    classes: NDArray[np.uint8]
    mpp: float


@dataclass(frozen=True)
class Phantom:
    """A synthetic slide: (H, W, 3) uint8 RGB at `spec.mpp`, its truth, and outlines of its metastases as GeoJSON."""

    spec: PhantomSpec
    rgb: NDArray[np.uint8]
    truth: PhantomTruth
    lesions: dict[str, object]


def make_phantom(spec: PhantomSpec) -> Phantom:
    """Draw the slide; equal specifications give identical arrays."""
    plan_rng, stain_rng, artefact_rng, noise_rng = (
        np.random.default_rng(child) for child in np.random.SeedSequence(spec.seed).spawn(4)
    )
    plan = plan_tissue(spec, plan_rng)
    is_tissue = _tissue_truth(plan, spec)
    placed = place_artefacts(spec.artefacts, is_tissue, spec.truth_mpp, artefact_rng)
    truth = PhantomTruth(is_tissue, label_map(placed, is_tissue, spec.truth_mpp), spec.truth_mpp)
    stains = render_stains(plan, spec, stain_rng)
    colours = _Colours(spec, stain_rng)
    rgb = _photograph(stains, colours, placed, spec, noise_rng)
    return Phantom(spec, rgb, truth, outlines(plan.lesions, PLAN_UM, spec.mpp))


def _tissue_truth(plan: Plan, spec: PhantomSpec) -> NDArray[np.bool_]:
    grid = Grid(Size(*spec.size_px), Mpp(spec.mpp), Mpp(spec.truth_mpp))
    weight = (plan.labels != Compartment.GLASS).astype(np.uint8) * 255
    weight = np.asarray(cv2.GaussianBlur(weight, (3, 3), 0), np.uint8)
    return upsampled(weight, spec.truth_mpp, 0, 0, grid.shape) >= 128


class _Colours:
    """The table from two quantised stains to transmittance and to grey levels."""

    def __init__(self, spec: PhantomSpec, rng: np.random.Generator) -> None:
        levels = np.arange(_LEVELS, dtype=np.float32) * 2 * OD_STEP * spec.stain_strength
        first, second = np.meshgrid(levels, levels * spec.eosin, indexing="ij")
        stains = _stains(spec, rng)
        # concentrations are stated as optical density in the stain's strongest channel
        unit = 1 / stains.vectors.max(axis=1)
        concentrations = np.stack([first.ravel() * unit[0], second.ravel() * unit[1]], 1)
        self.transmittance = render(concentrations, stains)
        self.exposed = exposed(self.transmittance, spec.scanner)


def _stains(spec: PhantomSpec, rng: np.random.Generator) -> StainPair:
    if spec.stain == "dab":
        return H_DAB
    return between(HE_RUIFROK, HE_MACENKO, float(rng.uniform(0.5, 1.0)))


def _photograph(
    stains: NDArray[np.uint8], colours: _Colours, placed: list[Placed], spec: PhantomSpec, rng: np.random.Generator
) -> NDArray[np.uint8]:
    width, height = spec.size_px
    rgb = np.empty((height, width, 3), np.uint8)
    bank, mean = noise_bank(spec.scanner, rng, BLOCK_PX)
    period = bank.shape[0] - BLOCK_PX
    for y in range(0, height, BLOCK_PX):
        for x in range(0, width, BLOCK_PX):
            out = rgb[y : y + BLOCK_PX, x : x + BLOCK_PX]
            light = illumination(spec, x + BLOCK_PX / 2, y + BLOCK_PX / 2)
            table = np.clip(colours.exposed * light - mean + 0.5, 0, 255).astype(np.uint8)
            _look_up(stains[:, y : y + BLOCK_PX, x : x + BLOCK_PX], table, out)
            for window, near in _touching(placed, x, y, out.shape, spec.mpp):
                seen = _through(stains, colours, near, (x, y), window, spec.mpp)
                out[window] = np.clip(exposed(seen, spec.scanner) * light - mean + 0.5, 0, 255).astype(np.uint8)
            oy, ox = int(rng.integers(period)), int(rng.integers(period))
            cv2.add(out, bank[oy : oy + out.shape[0], ox : ox + out.shape[1]], dst=out)
    return rgb


def _touching(
    placed: list[Placed], x: int, y: int, shape: tuple[int, ...], mpp: float
) -> list[tuple[tuple[slice, slice], list[Placed]]]:
    """The window of a block that artefacts touch, with those artefacts; empty or one entry."""
    at = Coords.of(shape, mpp, x * mpp, y * mpp)
    box = Bounds(x * mpp, y * mpp, (x + shape[1]) * mpp, (y + shape[0]) * mpp)
    found = [(one, touched_window(one.artefact, at)) for one in placed if one.artefact.bounds.overlaps(box)]
    near = [(one, window) for one, window in found if window is not None]
    if not near:
        return []
    rows, columns = ([window[axis] for _, window in near] for axis in (0, 1))
    union = (
        slice(min(s.start for s in rows), max(s.stop for s in rows)),
        slice(min(s.start for s in columns), max(s.stop for s in columns)),
    )
    return [(union, [one for one, _ in near])]


def _through(
    stains: NDArray[np.uint8],
    colours: _Colours,
    near: list[Placed],
    corner: tuple[int, int],
    window: tuple[slice, slice],
    mpp: float,
) -> Float:
    """Transmittance of a window of the block at `corner`, computed with a margin so that blocks meet seamlessly."""
    reach_um = {label: max(o.artefact.halo_um for o in near if o.label is label) for label in {o.label for o in near}}
    margin = int(np.ceil(sum(reach_um.values()) / mpp)) + 2
    x, y = corner[0] + window[1].start, corner[1] + window[0].start
    width, height = window[1].stop - window[1].start, window[0].stop - window[0].start
    x0, y0 = max(0, x - margin), max(0, y - margin)
    seen = colours.transmittance[_index(stains[:, y0 : y + height + margin, x0 : x + width + margin])]
    at = Coords.of(seen.shape, mpp, x0 * mpp, y0 * mpp)
    for one in near:
        seen = lay_window(one.artefact, seen, at)
    return seen[y - y0 : y - y0 + height, x - x0 : x - x0 + width]


def _index(stains: NDArray[np.uint8]) -> NDArray[np.intp]:
    return ((stains[0] >> 1).astype(np.intp) << 7) | (stains[1] >> 1)


def _look_up(stains: NDArray[np.uint8], table: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    if not stains.any():
        out[:] = table[0]
        return
    packed = np.zeros((len(table), 4), np.uint8)
    packed[:, :3] = table
    colours = np.take(packed.view(np.uint32).ravel(), _index(stains)).view(np.uint8)
    cv2.cvtColor(colours.reshape(*stains.shape[1:], 4), cv2.COLOR_RGBA2RGB, dst=out)
