"""Pictures of a training: losses by epoch, reliability. In: curves and predictions. Out: SVG files."""

import csv
from pathlib import Path

from qc.figures.chart import Curve, unit_chart
from qc.files import write_text
from qc.labels import ARTEFACTS, ArtefactClass
from qc.metrics.ranking import reliability
from qc.train.calibrate import Calibration
from qc.train.predict import Predicted


def draw_curves(curves: Path, out: Path) -> None:
    """Losses by epoch as shares of the highest one, epochs as shares of all."""
    with curves.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    losses = {
        name: [(float(row["epoch"]), float(row[name])) for row in rows if row.get(name)]
        for name in ("train_loss", "validation_loss")
    }
    top = max(loss for points in losses.values() for _epoch, loss in points)
    last = max(1.0, max(epoch for points in losses.values() for epoch, _loss in points))
    lines = [
        Curve(f"{name.replace('_', ' ')}, last {points[-1][1]:.3f}", [(e / last, loss / top) for e, loss in points])
        for name, points in losses.items()
        if points
    ]
    write_text(out, unit_chart(f"Loss by epoch: 1 is {top:.3f}, and epoch {last:.0f}", "epoch", "loss", lines))


def draw_reliability(
    predicted: Predicted, calibration: Calibration, classes: tuple[ArtefactClass, ...], out: Path
) -> None:
    """How often a class is true where it is said to be, before the correction for its true prevalence."""
    sampled = Calibration(calibration.temperature, (0.0,) * len(classes), {})
    p = sampled.probabilities(predicted.logits)
    lines = []
    for index, one in enumerate(classes):
        if one in ARTEFACTS or one is ArtefactClass.CLEAN:
            bins = reliability(predicted.classes == index, p[:, index])
            lines.append(Curve(one.label, [(b.mean_score, b.positive_share) for b in bins], has_dots=True))
    write_text(out, unit_chart("Reliability at the sampled prevalence", "probability", "share that is true", lines))
