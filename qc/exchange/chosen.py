"""Which slides a person means: by id, file name or stem, of a run or of a manifest."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath

from qc.errors import ExchangeError
from qc.manifest import Manifest
from qc.record import Assessed, Failed


def chosen_records(records: Sequence[Assessed | Failed], named: Sequence[str]) -> list[Assessed | Failed]:
    """Records of the named slides, or all when none is named.

    Raises:
        ExchangeError: If there are none, or a name fits no slide or several.
    """
    by_id = {record.stamp.slide_id: record for record in records}
    if not by_id:
        raise ExchangeError("the run holds no slides", "assess some first")
    wanted = chosen_ids({slide_id: record.stamp.path for slide_id, record in by_id.items()}, named)
    return [by_id[slide_id] for slide_id in wanted]


def chosen_slides(manifest: Manifest, named: Sequence[str]) -> list[str]:
    """Ids of the named slides of a manifest, or all when none is named.

    Raises:
        ExchangeError: If a name fits no slide or several.
    """
    paths = zip(manifest.slides["slide_id"].astype(str), manifest.slides["path"].astype(str), strict=True)
    return chosen_ids(dict(paths), named)


def chosen_ids(paths: Mapping[str, str], named: Iterable[str]) -> list[str]:
    """Ids of the slides that names mean, in their order, each once; all when no name is given.

    Args:
        paths: Slide id to the path of its file.
        named: Ids, file names or stems.

    Raises:
        ExchangeError: If a name fits no slide or several.
    """
    found = [_one(paths, name) for name in named]
    return list(dict.fromkeys(found)) or list(paths)


def _one(paths: Mapping[str, str], name: str) -> str:
    if name in paths:
        return name
    fitting = [one for one, path in paths.items() if name in (PurePath(path).name, PurePath(path).stem)]
    if len(fitting) > 1:
        raise ExchangeError(f"{name} may be {' or '.join(fitting)}", "name one of these ids")
    if not fitting:
        some = ", ".join(list(paths)[:5]) + (", ..." if len(paths) > 5 else "")
        raise ExchangeError(f"there is no slide {name}; there are {some}", "name one of these")
    return fitting[0]
