"""Corrected annotations as training data: a label mask for each slide, and the sources file that names them."""

import glob
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from qc.config.toml import first_problem, load_settings
from qc.config.training import Meaning, SourceSpec, TrainingSources
from qc.errors import ExchangeError
from qc.exchange.rasters import write_label_mask
from qc.files import write_text
from qc.geometry import Grid
from qc.labels import ARTEFACTS, ArtefactClass
from qc.record import Assessed

SOURCES_FILE = "sources.toml"
_TAUGHT = (ArtefactClass.CLEAN, *ARTEFACTS, ArtefactClass.GLASS)
_HEADER = """# Slides whose annotations a person corrected, written by `qc import`; paths start from --data.
# Train with it: `sources = "sources.toml"` in a training file beside it (docs/training.md).
"""


def write_mask(values: NDArray[np.uint8], grid: Grid, record: Assessed, folder: Path) -> Path:
    """Write one slide's corrected classes into `folder`, named by the slide's id."""
    path = folder / "masks" / f"{record.stamp.slide_id}.png"
    write_label_mask(values, grid, path, record.stamp.model_dump(exclude={"path"}))
    return path


def source_of(record: Assessed, mask: Path, root: Path, licence: str) -> SourceSpec:
    """The entry of a sources file for one slide and its mask.

    What nobody assessed and what is to be ignored teaches nothing. Without a licence the slide may only be measured on.

    Args:
        record: The slide's record.
        mask: Its mask.
        root: Data folder that trainings are told.
        licence: Licence of the slide's pixels; empty when none was stated.

    Raises:
        ExchangeError: If the slide does not lie under `root`.
    """
    slide = Path(record.stamp.path)
    root = root.resolve()
    if not slide.is_relative_to(root):
        raise ExchangeError(f"{slide} does not lie under {root}", "pass a folder that holds all slides as --data")
    values: dict[str, Meaning] = {str(int(cls)): cast(Meaning, cls.name.lower()) for cls in _TAUGHT}
    return SourceSpec(
        name="corrected-" + re.sub(r"[^a-z0-9]+", "-", record.stamp.slide_id.lower()).strip("-"),
        kind="masks",
        files=glob.escape(slide.relative_to(root).as_posix()),
        annotation=_braced(mask.resolve(), root),
        values=values,
        use="train" if licence else "evaluate",
        licence=licence or "none",
        mpp=record.mpp if record.mpp_source == "caller" else None,
    )


def add_sources(entries: Iterable[SourceSpec], path: Path) -> TrainingSources:
    """Write entries into a sources file; those of the same name are replaced, all others and all settings stay.

    Raises:
        SettingsError: If there is a file that holds no sources.
    """
    known = load_settings(TrainingSources, path) if path.exists() else None
    by_name = {one.name: one for one in known.sources} if known else {}
    by_name |= {one.name: one for one in entries}
    told = known.model_dump(exclude_defaults=True, exclude={"sources"}) if known else {}
    try:
        sources = TrainingSources.model_validate(told | {"sources": tuple(by_name.values())})
    except ValidationError as error:
        raise ExchangeError(f"{path} would be wrong: {first_problem(error)}", "choose another --out") from error
    write_text(path, _toml(sources))
    return sources


def _braced(path: Path, root: Path) -> str:
    """A path as a sources file has it: relative where it can be, its own braces doubled."""
    text = (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
    return text.replace("{", "{{").replace("}", "}}")


def _toml(sources: TrainingSources) -> str:
    told = sources.model_dump(exclude_defaults=True, exclude={"sources"})
    tables = [f"\n[[sources]]\n{_lines(one.model_dump(exclude_defaults=True))}" for one in sources.sources]
    return f"{_HEADER}{_lines(told)}{''.join(tables)}"


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: Any) -> str:
    """A value in TOML; its strings, numbers and booleans are written as JSON writes them."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)
