"""Lymph nodes of many patients, as phantoms. In: how often which labels come together. Out: slides, and their table.

Labels follow the largest lesion: isolated tumour cells below 0.2 mm, micrometastases up to 2 mm, macrometastases above.
Sizes, places, stain and artefacts are drawn by the slide's name, so a larger cohort holds the smaller one.
"""

import csv
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from qc.config.metastasis import NodeCohortSettings
from qc.downstream.metastasis.stages import NodeLabel
from qc.optics.field import log_uniform
from qc.phantom import CohortSpec, PhantomSpec

TRAIN, TEST = "train", "test"
_GOLDEN = (5**0.5 - 1) / 2
_KINDS = ("fold", "pen", "bubble", "out_of_focus", "foreign", "tear", "chatter")
_MACRO_UM, _MICRO_UM, _ITC_UM = (2150.0, 2650.0), (240.0, 1800.0), (50.0, 180.0)


@dataclass(frozen=True)
class Node:
    """One slide of the cohort."""

    name: str
    patient: str
    label: NodeLabel
    split: str
    laboratory: int


def nodes(settings: NodeCohortSettings) -> tuple[Node, ...]:
    """Every slide, those that train the network first."""
    return (*_training(settings), *_patients(settings))


def phantom_cohort(settings: NodeCohortSettings) -> CohortSpec:
    """How to draw every slide."""
    return CohortSpec(name="metastasis", slides=tuple(_slide(node, settings) for node in nodes(settings)))


def cohort_csv(settings: NodeCohortSettings) -> str:
    """The cohort table: slide, patient, label, part, laboratory."""
    table = io.StringIO()
    lines = csv.writer(table, lineterminator="\n")
    lines.writerow(["slide", "patient", "label", "part", "laboratory"])
    for node in nodes(settings):
        lines.writerow([node.name, node.patient, node.label, node.split, chr(ord("a") + node.laboratory)])
    return table.getvalue()


def _training(settings: NodeCohortSettings) -> Iterator[Node]:
    labels = [label for label, count in sorted(settings.training.items()) for _ in range(count)]
    for index in _spread(len(labels)):
        name = f"training_{index:03d}"
        yield Node(name, name, NodeLabel(labels[index]), TRAIN, index % settings.training_laboratories)


def _patients(settings: NodeCohortSettings) -> Iterator[Node]:
    patterns = [one.nodes for one in settings.patterns for _ in range(one.patients)]
    order = _spread(len(patterns))
    for number in range(settings.patients):
        labels = patterns[order[number % len(order)]]
        rng = np.random.default_rng([settings.seed, number])
        for place, index in enumerate(rng.permutation(len(labels))):
            name, patient = f"patient_{number:03d}_node_{place}", f"patient_{number:03d}"
            yield Node(name, patient, NodeLabel(labels[index]), TEST, number % settings.laboratories)


def _spread(count: int) -> list[int]:
    """The numbers below `count`, in an order whose beginnings are spread evenly (multiples of the golden ratio)."""
    places = (np.arange(count) + 0.5) * _GOLDEN % 1
    return [int(rank) for rank in np.argsort(np.argsort(places))]


def _slide(node: Node, settings: NodeCohortSettings) -> PhantomSpec:
    rng = np.random.default_rng([settings.seed, zlib.crc32(node.name.encode())])
    return PhantomSpec.model_validate(
        {
            **{"name": node.name, "patient": node.patient, "seed": int(rng.integers(2**31)), "pieces": 1},
            **{"width_mm": settings.width_mm, "height_mm": settings.height_mm, "mpp": settings.mpp, "truth_mpp": 8.0},
            **{"diagnosis": "hyperplasia", "cover": float(rng.uniform(0.56, 0.64))},
            **{"follicles": _follicles(rng), "lesions": _lesions(node.label, rng)},
            **{"artefacts": _artefacts(settings, rng), **_look(node.laboratory, settings, rng)},
        }
    )


def _follicles(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "crowding": float(rng.uniform(0.12, 0.45)),
        "radius_um": float(rng.uniform(150, 230)),
        "radius_spread": 0.3,
        "irregularity": 0.25,
        "mantle_um": float(rng.uniform(30, 60)),
        "is_polarised": True,
        "mimics": 0.05,
    }


def _lesions(label: NodeLabel, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Of the label's size and, less often, of smaller ones; largest first."""
    match label:
        case NodeLabel.NEGATIVE:
            return []
        case NodeLabel.ITC:
            sizes = [log_uniform(*_ITC_UM, rng) for _ in range(int(rng.integers(1, 4)))]
        case NodeLabel.MICRO:
            sizes = [log_uniform(*_MICRO_UM, rng) for _ in range(1 + int(rng.random() < 0.3))]
            sizes += [log_uniform(*_ITC_UM, rng)] * int(rng.random() < 0.4)
        case NodeLabel.MACRO:
            sizes = [log_uniform(*_MACRO_UM, rng)]
            sizes += [log_uniform(240.0, 600.0, rng)] * int(rng.random() < 0.3)
            sizes += [log_uniform(*_ITC_UM, rng)] * int(rng.random() < 0.4)
    return [
        {
            "diameter_um": size,
            "elongation": float(rng.uniform(1.2, 1.7)),
            "is_under_capsule": bool(size < _MICRO_UM[1] and rng.random() < 0.6),
        }
        for size in sorted(sizes, reverse=True)
    ]


def _artefacts(settings: NodeCohortSettings, rng: np.random.Generator) -> list[dict[str, Any]]:
    if rng.random() >= settings.artefact_chance:
        return []
    kinds = rng.choice(_KINDS, size=int(rng.integers(1, 3)), replace=False)
    shares = [float(rng.uniform(*settings.artefact_share)) for _ in kinds]
    return [
        {"kind": str(kind), "share": share, "strength": 1.5 if kind == "out_of_focus" else 1.0}
        for kind, share in zip(kinds, shares, strict=True)
    ]


def _look(laboratory: int, settings: NodeCohortSettings, rng: np.random.Generator) -> dict[str, Any]:
    """Stain and scanner of a laboratory, a little different from slide to slide."""
    house = np.random.default_rng([settings.seed, 10_000 + laboratory])
    strength, eosin = house.uniform(0.75, 1.15), house.uniform(0.85, 1.2)
    gamma, saturation, warmth = house.uniform(0.9, 1.1), house.uniform(0.85, 1.1), house.uniform(-0.45, 0.5)
    return {
        "stain_strength": float(strength * rng.uniform(0.95, 1.05)),
        "eosin": float(eosin * rng.uniform(0.95, 1.05)),
        "scanner": {"gamma": float(gamma), "saturation": float(saturation), "warmth": float(warmth)},
    }
