"""The folder of one slide: what lies where, and what a finished slide looks like.

record.json                   what is known of the slide; written last
overview.jpg overlay.jpg      the slide as scanned, and with its artefacts
artefacts.png tissue.png      artefact map and tissue mask
artefacts.geojson             the map's outlines
heat-<classifier>.png         where a classifier looked
"""

from dataclasses import dataclass
from pathlib import Path

from qc.files import cannot_write, write_text
from qc.record import Assessed, Failed, Stamp, from_json, to_json

_HEAT = "heat-"


@dataclass(frozen=True)
class SlideFolder:
    """Paths of one slide's results."""

    root: Path

    @property
    def record_json(self) -> Path:
        """The record; written last, so its presence means that all files are complete."""
        return self.root / "record.json"

    @property
    def overview(self) -> Path:
        """The slide as scanned."""
        return self.root / "overview.jpg"

    @property
    def overlay(self) -> Path:
        """The slide with artefacts, legend and scale bar."""
        return self.root / "overlay.jpg"

    @property
    def artefacts(self) -> Path:
        """The artefact map."""
        return self.root / "artefacts.png"

    @property
    def tissue(self) -> Path:
        """The tissue mask; runs of early versions have none."""
        return self.root / "tissue.png"

    @property
    def geojson(self) -> Path:
        """The artefact map as annotations for QuPath."""
        return self.root / "artefacts.geojson"

    def heat(self, name: str) -> Path:
        """A classifier's heat map: a transparent picture that the dashboard stretches over the whole slide."""
        return self.root / f"{_HEAT}{name}.png"

    def heats(self) -> dict[str, Path]:
        """Heat maps that lie here, by name."""
        return {path.stem.removeprefix(_HEAT): path for path in sorted(self.root.glob(f"{_HEAT}*.png"))}

    def record(self) -> Assessed | Failed | None:
        """The record, or None when there is none that can be read."""
        try:
            return from_json(self.record_json.read_bytes())
        except (OSError, ValueError):
            return None

    def finished(self, stamp: Stamp) -> Assessed | None:
        """The record of an assessment of this very content with these very settings, if complete."""
        record = self.record()
        is_whole = isinstance(record, Assessed) and record.stamp == stamp and record.tiles_unread == 0
        return record if isinstance(record, Assessed) and is_whole else None

    def write_record(self, record: Assessed | Failed) -> None:
        """Write the record."""
        write_text(self.record_json, to_json(record))

    def clear(self) -> None:
        """Remove what an earlier or killed attempt left behind, the record first.

        Raises:
            RunError: If it cannot be removed.
        """
        try:
            self.record_json.unlink(missing_ok=True)
            for path in self.root.glob("*"):
                if path.is_file():
                    path.unlink()
        except OSError as error:
            raise cannot_write(self.root, error) from error
