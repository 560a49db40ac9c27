"""Which runs there are. In: settings. Out: points, and the training of each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from qc.config.ablate import AblateSettings, NoiseSpec, Output, Sampling
from qc.config.train import TrainSettings
from qc.config.training import LabelNoiseSettings

Factor = Literal["sampling", "output", "mpp", "network", "seed", "noise"]
FACTORS: tuple[Factor, ...] = ("sampling", "output", "mpp", "network", "seed", "noise")
NO_NOISE = "none"


@dataclass(frozen=True)
class Point:
    """One run.

    Attributes:
        sampling: Share of artefact tiles in a batch, or `random`.
        output: What the network decides on.
        mpp: Micrometres per pixel that it sees.
        network: Name among the networks.
        seed: Of weights and draws.
        noise: Name of the label noise.
    """

    sampling: Sampling
    output: Output
    mpp: float
    network: str
    seed: int
    noise: str = NO_NOISE

    @property
    def name(self) -> str:
        """For folders: every choice."""
        parts = [self.shown(factor).replace(" ", "") for factor in FACTORS]
        return "_".join(parts).replace("%", "pc")

    def shown(self, factor: Factor) -> str:
        """One choice for people."""
        match factor:
            case "sampling":
                return "random" if isinstance(self.sampling, str) else f"{100 * self.sampling:g} %"
            case "mpp":
                return f"{self.mpp:g} mpp"
            case "seed":
                return f"seed {self.seed}"
            case "noise":
                return f"noise {self.noise}"
            case _:
                return str(getattr(self, factor))


def plan_points(settings: AblateSettings, with_noise: bool = False) -> tuple[Point, ...]:
    """The base point first; every point once."""
    base = base_point(settings)
    points = [base, *(_all(settings, base) if settings.design == "full" else _one_at_a_time(settings, base))]
    if settings.design == "full":
        points += [replace(base, seed=seed) for seed in settings.levels.seed]
    if with_noise:
        points += [replace(base, noise=one.name) for one in settings.noise]
    return tuple(dict.fromkeys(points))


def base_point(settings: AblateSettings) -> Point:
    """The point that is varied."""
    base = settings.base
    return Point(base.sampling, base.output, base.mpp, base.network, base.seed)


def _one_at_a_time(settings: AblateSettings, base: Point) -> Iterator[Point]:
    levels = settings.levels
    yield from (replace(base, sampling=one) for one in levels.sampling)
    yield from (replace(base, output=one) for one in levels.output)
    yield from (replace(base, mpp=one) for one in levels.mpp)
    yield from (replace(base, network=one) for one in levels.network)
    yield from (replace(base, seed=one) for one in levels.seed)


def _all(settings: AblateSettings, base: Point) -> Iterator[Point]:
    levels = settings.levels
    for sampling, output, mpp, network in product(levels.sampling, levels.output, levels.mpp, levels.network):
        yield Point(sampling, output, mpp, network, base.seed)


def training_of(point: Point, settings: AblateSettings, training: TrainSettings) -> TrainSettings:
    """The settings of one run: those of the training that is varied, with a few fields changed."""
    share = None if isinstance(point.sampling, str) else point.sampling
    noise = noise_of(point, settings)
    sampling = {
        "batch_tiles": settings.batch_tiles,
        "batches": settings.batches,
        "artefact_share": 1.0 if noise.only_positive else share,
        "annotated_share": None,
    }
    changed = {
        "seed": point.seed,
        "folds": 0,
        "network": settings.networks[point.network],
        "sampling": training.sampling.model_copy(update=sampling),
        "optimiser": training.optimiser.model_copy(update={"epochs": settings.epochs, "averaging": settings.averaging}),
        "noise": noise,
    }
    return training.model_copy(update=changed)


def noise_of(point: Point, settings: AblateSettings) -> LabelNoiseSettings:
    """The label noise of a point."""
    named: dict[str, NoiseSpec] = {one.name: one for one in settings.noise}
    if point.noise == NO_NOISE:
        return LabelNoiseSettings()
    return LabelNoiseSettings.model_validate(named[point.noise].model_dump(exclude={"name"}))
