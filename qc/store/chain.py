"""The hash chain of the audit: each row's hash covers the row and the hash before it. Pure; no database.

A row's hash is the SHA-256 over the UTF-8 bytes of a JSON object of all its fields but `hash`, keys sorted, no spaces,
nothing escaped that JSON does not demand. `previous` of the first row is 64 zeros. Anybody can check it with any
language.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

START = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One row of the audit; `at` is UTC in ISO 8601, `detail` a JSON object as text."""

    seq: int
    at: str
    subject: str
    name: str
    role: str
    action: str
    run_id: str
    slide_id: str
    detail: str
    previous: str
    hash: str = ""

    def sealed(self) -> "Entry":
        """The entry with its hash."""
        return replace(self, hash=self.computed_hash())

    def computed_hash(self) -> str:
        """What `hash` has to be."""
        fields = {key: value for key, value in vars(self).items() if key != "hash"}
        return hashlib.sha256(canonical(fields).encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class Head:
    """The end of a chain: its last row."""

    seq: int = 0
    hash: str = START


def canonical(value: object) -> str:
    """JSON that is the same for the same value.

    >>> canonical({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def check(entries: Iterable[Entry], head: Head, noted_head: str = "") -> Iterator[str]:
    """What is wrong with a chain, one sentence each; nothing when it is whole.

    Args:
        entries: All rows, by `seq`.
        head: Where the store says that the chain ends.
        noted_head: A hash that was noted outside earlier; has to be in the chain.
    """
    last, is_noted_there = Head(), noted_head in ("", START)
    for entry in entries:
        yield from _check_entry(entry, last)
        last = Head(entry.seq, entry.hash)
        is_noted_there = is_noted_there or entry.hash == noted_head
    if last.seq < head.seq:
        yield f"{_rows(last.seq + 1, head.seq)} missing at the end: the store was at row {head.seq}"
    elif last != head:
        yield f"row {last.seq} is not where the store says that the audit ends (row {head.seq})"
    if not is_noted_there:
        yield f"no row has the noted hash {noted_head}: rows were removed at the end, or all were made again"


def _check_entry(entry: Entry, last: Head) -> Iterator[str]:
    if entry.seq > last.seq + 1:
        yield f"{_rows(last.seq + 1, entry.seq - 1)} missing"
    elif entry.previous != last.hash:
        yield f"row {entry.seq} does not follow the row before it"
    if entry.computed_hash() != entry.hash:
        yield f"row {entry.seq} was changed"


def _rows(first: int, last: int) -> str:
    return f"row {first} is" if first == last else f"rows {first} to {last} are"
