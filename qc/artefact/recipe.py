"""What is to be done to one tile: kinds of artefact, where they lie in the light path, and how recipes are drawn."""

from dataclasses import dataclass, field

import numpy as np

from qc.artefact.cutout import Picture
from qc.config.training import ComposeSettings
from qc.labels import ARTEFACTS, ArtefactClass
from qc.optics.bubble import draw_bubbles, draw_slip_edge
from qc.optics.curl import draw_curl
from qc.optics.debris import draw_clump, draw_shadow, draw_shards, draw_specks, draw_squames, draw_threads
from qc.optics.defocus import draw_focus_dip, draw_focus_tilt
from qc.optics.dry import draw_dry_bubbles, draw_dry_edge
from qc.optics.field import log_uniform
from qc.optics.fold import draw_creases, draw_faint_creases, draw_flap, draw_fold, draw_wrinkles
from qc.optics.look_alike import draw_blood, draw_margin_ink, draw_thick
from qc.optics.off_plane import draw_marker
from qc.optics.tear import draw_blinds, draw_cracks
from qc.phantom.place import Draw


@dataclass(frozen=True)
class Kind:
    """A way to ruin tissue: its class, where it lies in the light path, and how large one is.

    Nothing is demanded where it lies if it is hard to tell from what tissue does by itself (`is_told` False). What is
    found `at_margin` lies where tissue ends beside glass; tissue without a margin has none.
    """

    label: ArtefactClass
    plane: int  # 0 tissue, 1 focus, 2 under the cover slip, 3 on the cover slip
    draws: tuple[Draw, ...]
    least_um: float
    most_um: float
    most: int  # on one tile
    chance: float  # among the kinds of its class
    is_told: bool = True
    at_margin: bool = False


KINDS = {
    "fold": Kind(ArtefactClass.FOLD, 0, (draw_fold, draw_flap, draw_creases, draw_wrinkles), 120, 4000, 2, 0.52),
    "crease": Kind(ArtefactClass.FOLD, 0, (draw_creases, draw_faint_creases), 120, 4000, 2, 0.26),
    "curl": Kind(ArtefactClass.FOLD, 0, (draw_curl,), 100, 1500, 2, 0.14, at_margin=True),
    "tear": Kind(ArtefactClass.FOLD, 0, (draw_cracks,), 80, 2500, 2, 0.05, is_told=False),
    "chatter": Kind(ArtefactClass.FOLD, 0, (draw_blinds,), 200, 3000, 1, 0.03, is_told=False),
    "debris": Kind(ArtefactClass.FOREIGN, 0, (draw_specks, draw_clump, draw_squames), 15, 250, 3, 0.3),
    "shards": Kind(ArtefactClass.FOREIGN, 0, (draw_shards,), 30, 400, 2, 0.1),
    "thread": Kind(ArtefactClass.FOREIGN, 0, (draw_threads,), 100, 2000, 2, 0.2),
    "shadow": Kind(ArtefactClass.FOREIGN, 3, (draw_shadow,), 25, 500, 3, 0.4),
    "focus_patch": Kind(ArtefactClass.OUT_OF_FOCUS, 1, (draw_focus_dip,), 250, 6000, 2, 0.5),
    "focus_tilt": Kind(ArtefactClass.OUT_OF_FOCUS, 1, (draw_focus_tilt,), 200, 4000, 1, 0.5),
    "bubble": Kind(ArtefactClass.BUBBLE, 2, (draw_bubbles, draw_dry_bubbles), 60, 4000, 3, 0.6),
    "slip_edge": Kind(ArtefactClass.BUBBLE, 2, (draw_slip_edge, draw_dry_edge, draw_dry_edge), 1000, 6000, 1, 0.4),
    "pen": Kind(ArtefactClass.PEN, 3, (draw_marker,), 250, 8000, 2, 1.0),
}

LOOK_ALIKES = {
    "margin_ink": Kind(ArtefactClass.CLEAN, -1, (draw_margin_ink,), 150, 1500, 2, 0.5),
    "blood": Kind(ArtefactClass.CLEAN, -1, (draw_blood,), 60, 600, 3, 0.5),
    "thick": Kind(ArtefactClass.CLEAN, -1, (draw_thick,), 200, 2000, 2, 0.5),
}
"""What lies in tissue before anything ruins it, and does not ruin it."""


@dataclass(frozen=True)
class Wanted:
    """One kind of artefact and the share of the tile's tissue, or of its glass, it should cover, 0-1."""

    kind: str
    share: float
    strength: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """What is done to one tile; no artefacts and no softness leave it clean.

    Attributes:
        wanted: Artefacts, in any order.
        cutouts: Pictures of foreign bodies; one of them may stand in for a drawn one.
        cutout_chance: Chance of that.
        beside: Chance that what is seen on glass too is laid beside the tissue.
        soft_um: Blur radius of the whole tile, too small to ruin it.
        gamma: Exponent from pixel values to light.
        noise: Standard deviation of the sensor noise added everywhere, grey levels.
    """

    wanted: tuple[Wanted, ...] = ()
    cutouts: tuple[Picture, ...] = field(default=(), repr=False)
    cutout_chance: float = 0.0
    beside: float = 0.0
    soft_um: float = 0.0
    gamma: float = 1.0
    noise: float = 0.0


def draw_recipe(
    label: ArtefactClass,
    settings: ComposeSettings,
    rng: np.random.Generator,
    cutouts: tuple[Picture, ...] = (),
) -> Recipe:
    """A recipe with an artefact of class `label` (CLEAN for none) now and then others, and what only looks like one.

    Raises:
        ValueError: If `label` is neither CLEAN nor an artefact.
    """
    if label is not ArtefactClass.CLEAN and label not in ARTEFACTS:
        raise ValueError(f"{label.label} cannot be composed; CLEAN or an artefact can")
    wanted = []
    if label in ARTEFACTS and rng.random() < settings.look_alike:
        name = str(rng.choice(list(LOOK_ALIKES)))
        wanted.append(Wanted(name, share=log_uniform(settings.share_min, settings.share_max, rng)))
    while label in ARTEFACTS:
        wanted.append(_draw_wanted(label, settings, rng))
        if rng.random() >= settings.another:
            break
        label = ARTEFACTS[int(rng.integers(len(ARTEFACTS)))]
    return Recipe(
        wanted=tuple(wanted),
        cutouts=cutouts,
        cutout_chance=settings.cutout,
        beside=settings.beside,
        soft_um=float(rng.uniform(0, settings.soft_um_max)) if rng.random() < settings.soft else 0.0,
        gamma=float(rng.uniform(settings.gamma_min, settings.gamma_max)),
        noise=float(rng.uniform(0, settings.noise_max)),
    )


def _draw_wanted(label: ArtefactClass, settings: ComposeSettings, rng: np.random.Generator) -> Wanted:
    names = [name for name, kind in KINDS.items() if kind.label is label]
    name = str(rng.choice(names, p=[KINDS[name].chance for name in names]))
    is_wide = KINDS[name].plane > 0 and label is not ArtefactClass.FOREIGN
    is_whole = is_wide and rng.random() < settings.whole
    return Wanted(
        name,
        share=1.0 if is_whole else log_uniform(settings.share_min, settings.share_max, rng),
        strength=log_uniform(settings.strength_min, settings.strength_max, rng),
    )
