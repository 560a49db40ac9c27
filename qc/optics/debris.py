"""Foreign bodies as real slides show them: sharp ones in the tissue plane, and blurred dirt on the cover slip."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from qc.optics.artefact import Several
from qc.optics.field import Bounds, Curve, Waves, log_uniform
from qc.optics.foreign import Blob, Body, Material, Thread, draw_fibre, draw_speck, draw_squame
from qc.optics.off_plane import OffPlane


def draw_specks(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """One to twenty specks of 3-45 um strewn over about `size_um`."""
    count = 1 + int(rng.integers(0, 4) * rng.integers(0, 7))
    return Several(tuple(_strewn(draw_speck, bounds, rng, 0.4 * size_um, (3, 45), strength) for _ in range(count)))


def draw_clump(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> OffPlane:
    """A ragged heap of dark grains about `size_um` across, a few strewn around it, rarely quite in focus."""
    shade = log_uniform(0.25, 1.2, rng) * strength
    hue = rng.uniform(0.8, 1.2, 3) * (0.9, 1.05, 1.15)
    grains = []
    for _ in range(int(rng.integers(10, 50))):
        grain_um = size_um * log_uniform(0.04, 0.35, rng)
        x, y = rng.normal(0, 0.2 * size_um, 2)
        half = (grain_um / 2, grain_um / 2 * float(rng.uniform(0.4, 1.0)))
        centre = (bounds.centre[0] + float(x), bounds.centre[1] + float(y))
        density = shade * hue * float(rng.uniform(0.2, 1.0))
        rough = Waves.draw(rng, 0.4 * grain_um, 0.1 * grain_um, count=9)
        grains.append(
            Body(
                Blob(centre, half, float(rng.uniform(0, np.pi)), rough),
                Material((float(density[0]), float(density[1]), float(density[2])), 0.0, 1.0, 0.0, 0.15 * grain_um),
            )
        )
    return OffPlane(Several(tuple(grains)), log_uniform(0.7, 7, rng))


def draw_threads(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """One or two textile fibres about `size_um` long, gently bent."""
    fibres = []
    for _ in range(1 + int(rng.random() < 0.2)):
        width = float(rng.uniform(5, 22))
        curve = Curve.draw(rng, bounds.centre, size_um, sway=float(rng.uniform(0.01, 0.08)))
        material = replace(
            draw_fibre(bounds, rng, size_um, strength).material,
            rim_density=float(rng.uniform(0.08, 0.5)) * strength,
            rim_um=float(rng.uniform(0.7, 2.0)),
        )
        fibres.append(Body(Thread(curve, width, Waves.draw(rng, 60.0, 0.1 * width)), material))
    return Several(tuple(fibres))


def draw_squames(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """One to five flakes of skin of 25-90 um, seldom on one another."""
    count = int(rng.integers(1, 6))
    spread_um = 0.3 * size_um + 35 * (count - 1) ** 0.5
    return Several(tuple(_strewn(_thin_squame, bounds, rng, spread_um, (25, 90), strength) for _ in range(count)))


def _thin_squame(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float) -> Body:
    """An angular flake whose border hardly refracts."""
    squame = draw_squame(bounds, rng, size_um, strength)
    if not isinstance(squame.outline, Blob):
        raise TypeError("a squame is a blob")
    rough = Waves.draw(rng, 0.5 * size_um, 0.06 * size_um, count=8)
    material = replace(squame.material, rim_density=0.5 * squame.material.rim_density, rim_um=0.8)
    return Body(replace(squame.outline, wobble=rough), material)


def draw_shards(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """One to five clear, lobed bodies of 10-90 um, such as dried medium or glass, seen by the light they bend."""
    count = int(rng.integers(1, 6))
    spread_um = 0.3 * size_um * float(count > 1)
    return Several(tuple(_strewn(_shard, bounds, rng, spread_um, (10, 90), strength) for _ in range(count)))


def _shard(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float) -> Body:
    """Clear inside, with a dark line around it and often a bright one within."""
    half = size_um / 2, size_um / 2 * float(rng.uniform(0.4, 1.0))
    lobes = Waves.draw(rng, size_um * float(rng.uniform(0.3, 0.8)), size_um * float(rng.uniform(0.04, 0.16)), count=7)
    grey = float(rng.uniform(0, 0.12)) * strength
    material = Material(
        density=(grey, grey, grey),
        rim_density=float(rng.uniform(0.2, 0.9)) * strength,
        rim_um=float(rng.uniform(0.5, 1.6)),
        gleam=float(rng.uniform(0, 0.4)),
        soft_um=float(rng.uniform(0.3, 1.5)),
    )
    return Body(Blob(bounds.centre, half, float(rng.uniform(0, np.pi)), lobes), material)


def draw_shadow(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> OffPlane:
    """Dirt far from the focal plane, on the cover slip or in the light path: a grey, blurred spot or streak."""
    shade = log_uniform(0.07, 0.6, rng) * strength
    tint = shade * rng.uniform(0.94, 1.06, 3)
    outline: Blob | Thread
    if rng.random() < 0.35:
        width = float(rng.uniform(0.15, 0.5)) * size_um
        curve = Curve.draw(rng, bounds.centre, 2 * size_um, sway=float(rng.uniform(0.01, 0.06)))
        outline = Thread(curve, width, Waves.draw(rng, size_um / 2, 0.1 * width))
    else:
        width = size_um / 2 * float(rng.uniform(0.5, 1.0))
        wobble = Waves.draw(rng, size_um, 0.06 * size_um)
        outline = Blob(bounds.centre, (size_um / 2, width), float(rng.uniform(0, np.pi)), wobble)
    ring = float(rng.choice([0.0, 0.0, 0.08]))  # some bodies bend light at their border
    material = Material((float(tint[0]), float(tint[1]), float(tint[2])), ring, 0.1 * width, 0.0, 2.0)
    return OffPlane(Body(outline, material), float(rng.uniform(0.2, 0.7)) * width)


def _strewn(
    draw: Callable[[Bounds, np.random.Generator, float, float], Body],
    bounds: Bounds,
    rng: np.random.Generator,
    spread_um: float,
    range_um: tuple[float, float],
    strength: float,
) -> Body:
    x, y = rng.normal(0, spread_um, 2)
    near = Bounds.around((bounds.centre[0] + float(x), bounds.centre[1] + float(y)), 1.0)
    return draw(near, rng, log_uniform(*range_um, rng), strength)
