"""How laboratories and scanners differ at overview scale: stain, fading, glass, light. Pure; randomness is an argument.

In and out: (H, W, 3) float32 transmittance, 1 on bare glass.
"""

import cv2
import numpy as np

from qc.optics.field import Float, log_uniform, smoothstep
from qc.optics.stain import H_DAB, HE_MACENKO, HE_RUIFROK, between, filtered, to_od

Rng = np.random.Generator


def smooth_noise(shape: tuple[int, ...], scale_px: float, rng: Rng) -> Float:
    """(H, W) float32 with features of about `scale_px`, mean 0, deviation 1."""
    small = max(2, round(shape[0] / scale_px) + 3), max(2, round(shape[1] / scale_px) + 3)
    coarse = rng.standard_normal(small, np.float32)
    size = round(small[1] * scale_px) + 1, round(small[0] * scale_px) + 1
    wide = cv2.resize(coarse, (max(size[0], shape[1]), max(size[1], shape[0])), interpolation=cv2.INTER_CUBIC)
    return np.asarray(wide[: shape[0], : shape[1]], np.float32) * np.float32(1.4)


def restained(light: Float, weight: Float, rng: Rng, is_immunostain: bool) -> Float:
    """Tissue in another haematoxylin and eosin, or in blue and brown.

    Args:
        light: Transmittance.
        weight: (H, W) 0-1: where there is tissue, so that dirt on glass keeps its colour.
        rng: Draws stains and strengths.
        is_immunostain: Haematoxylin with diaminobenzidine in places, without eosin.
    """
    density = to_od(light)
    first, second = _unmixed(density)
    gain = np.exp(rng.uniform(np.log(0.5), np.log(1.8), 2)).astype(np.float32)
    if is_immunostain:
        blue, brown = H_DAB.vectors
        place = smooth_noise(weight.shape, float(rng.uniform(6, 60)), rng)
        amount = smoothstep(place, float(rng.uniform(-0.5, 2.0)), float(rng.uniform(2.1, 3.0)))
        ground = float(rng.uniform(0.0, 0.25))  # what of eosin's tissue is still seen, in a greyish blue
        positive = (0.6 * first + second) * amount * gain[1] * np.float32(rng.uniform(0.4, 1.5))
        counter = (first + ground * second) * gain[0] * (1 - np.float32(0.6) * amount)
        grey = np.float32(rng.uniform(0, 0.4))
        blue = (1 - grey) * blue + grey * np.float32(0.577)
        anew = counter[..., None] * blue + positive[..., None] * brown
    else:
        pair = between(HE_RUIFROK, HE_MACENKO, float(rng.uniform(0, 1))).vectors
        pair = pair * rng.uniform(0.85, 1.15, (2, 3)).astype(np.float32)
        anew = (first * gain[0])[..., None] * pair[0] + (second * gain[1])[..., None] * pair[1]
    return light * filtered(weight[..., None] * (anew - density))


def faded(light: Float, weight: Float, share: float, rng: Rng) -> Float:
    """Tissue with `share` (0-1) of its density left; now and then less in one part than in another."""
    left = np.full(weight.shape, share, np.float32)
    if rng.random() < 0.4:
        part = smoothstep(smooth_noise(weight.shape, float(rng.uniform(40, 150)), rng), -1.0, 1.0)
        left = share + (1 - share) * part
    return light * filtered((weight * (left - 1))[..., None] * to_od(light))


def hazy(light: Float, rng: Rng) -> Float:
    """Stain that dried on the glass: pale, smooth puddles or their rims."""
    pair = HE_MACENKO.vectors
    mix = float(rng.uniform(0, 1)) ** 2
    hue = mix * pair[0] + (1 - mix) * pair[1]
    place = smooth_noise(light.shape, float(rng.uniform(20, 140)), rng)
    level = float(rng.uniform(0.2, 1.6))
    if rng.random() < 0.5:
        amount = smoothstep(place, level, level + float(rng.uniform(0.3, 2.0)))
    else:
        amount = np.exp(-(((place - level) / float(rng.uniform(0.05, 0.25))) ** 2))
    peak = log_uniform(0.008, 0.09, rng)
    return light * filtered(peak * amount[..., None] * hue.astype(np.float32))


def glass_colour(rng: Rng) -> Float:
    """(3,) float32 levels, 0-255: white to grey, a little yellow, blue, pink or green."""
    level = float(rng.uniform(190, 255)) if rng.random() < 0.35 else float(rng.uniform(230, 255))
    tints = np.array([(0, -1, -6), (0, -3, -16), (-5, -1, 1), (0, -4, -1), (-4, 0, -3), (0, 0, 0)], np.float32)
    tint = tints[int(rng.integers(len(tints)))] * float(rng.uniform(0, 2))
    return np.clip(level + tint, 120, 255).astype(np.float32)


def shading(shape: tuple[int, ...], mpp: float, rng: Rng) -> Float:
    """(H, W, 1) float32 about 1: a slope, scanned strips of unequal brightness, or dirt in the light path."""
    height, width = shape[:2]
    kind = int(rng.integers(3))
    depth = log_uniform(0.01, 0.2, rng)
    if kind == 0:
        angle = float(rng.uniform(0, 2 * np.pi))
        x, y = np.linspace(-1, 1, width)[None, :], np.linspace(-1, 1, height)[:, None]
        field = 1 - depth * (0.5 + 0.35 * (np.cos(angle) * x + np.sin(angle) * y))
    elif kind == 1:
        strip_px = max(6, round(log_uniform(200, 2500, rng) / mpp))
        steps = 1 - depth * rng.random(width // strip_px + 2)
        first = int(rng.integers(strip_px))
        field = np.repeat(steps, strip_px)[first : first + width][None, :] * np.ones((height, 1))
        field = field if height != width or rng.random() < 0.5 else field.T
    else:
        field = 1 - depth * smoothstep(smooth_noise(shape, float(rng.uniform(60, 200)), rng), -1.0, 2.0)
    return field[..., None].astype(np.float32)


def _unmixed(density: Float) -> tuple[Float, Float]:
    """Amounts of haematoxylin and eosin, (H, W) each, none below zero."""
    amounts = density @ np.linalg.pinv(HE_MACENKO.vectors).astype(np.float32)
    return np.maximum(amounts[..., 0], 0), np.maximum(amounts[..., 1], 0)
