"""Cells spoilt on purpose, to see what quality control gives back. In: patients. Out: the same with some other files.

Defocus is a disc; a blot of stain covers the whole picture; in an empty picture there is glass and nothing else.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from qc.downstream.lymphocytosis.cells import read_image
from qc.downstream.lymphocytosis.cohort import Patient
from qc.downstream.lymphocytosis.segment import Rgb
from qc.files import replacing
from qc.optics.defocus import blur

_STAIN = np.array([0.35, 0.75, 0.2], np.float32)  # optical density of a purple blot
_RADIUS_PX = (1.5, 4.0)


def spoilt(patients: Sequence[Patient], share: float, folder: Path, seed: int = 0) -> tuple[Patient, ...]:
    """Patients of whose cells a share is spoilt.

    Args:
        patients: Whose cells; their files stay as they are.
        share: Of each patient's cells, 0-1.
        folder: For the spoilt pictures; what lies there is not made again.
        seed: Decides which cells, and how they are spoilt.
    """
    if not share:
        return tuple(patients)
    return tuple(replace(one, images=_images(one, share, folder, seed)) for one in patients)


def _images(patient: Patient, share: float, folder: Path, seed: int) -> tuple[Path, ...]:
    number = int.from_bytes(hashlib.sha256(patient.name.encode()).digest()[:4], "big")
    rng = np.random.default_rng([seed, number])
    chosen = set(rng.permutation(len(patient.images))[: round(share * len(patient.images))].tolist())
    files = []
    for i, path in enumerate(patient.images):
        kind, strength = KINDS[int(rng.integers(len(KINDS)))], float(rng.random())
        if i not in chosen:
            files.append(path)
            continue
        target = folder / patient.name / f"{path.stem}-{seed}-{share:g}.png"
        if not target.is_file():
            _, encoded = cv2.imencode(".png", cv2.cvtColor(kind(read_image(path), strength), cv2.COLOR_RGB2BGR))
            with replacing(target) as partial:
                partial.write_bytes(encoded.tobytes())
        files.append(target)
    return tuple(files)


def defocused(rgb: Rgb, strength: float) -> Rgb:
    """Under a disc of 1.5 to 4 pixels."""
    radius = _RADIUS_PX[0] + strength * (_RADIUS_PX[1] - _RADIUS_PX[0])
    return _bytes(blur(rgb.astype(np.float32) / 255, radius, 1.0))


def stained_over(rgb: Rgb, strength: float) -> Rgb:
    """Under a blot of stain."""
    return _bytes(rgb.astype(np.float32) / 255 * np.exp(-(0.6 + strength) * _STAIN))


def emptied(rgb: Rgb, strength: float) -> Rgb:  # noqa: ARG001 - there are no degrees of nothing
    """Glass of the picture's own colour."""
    light = rgb.reshape(-1, 3)[rgb.sum(axis=2).ravel().argsort()[-len(rgb) :]].mean(axis=0)
    return _bytes(np.broadcast_to(light / 255, rgb.shape))


KINDS: tuple[Callable[[Rgb, float], Rgb], ...] = (defocused, stained_over, emptied)


def _bytes(light: np.ndarray) -> Rgb:
    return np.clip(np.rint(light * 255), 0, 255).astype(np.uint8)
