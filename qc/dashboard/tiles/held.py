"""Open slides, as many as memory allows: the one that nobody looks at for the longest time is closed first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Holdable(Protocol):
    """What can be held: it weighs something and is closed once."""

    @property
    def weight_bytes(self) -> int:
        """Memory that it takes now."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


T = TypeVar("T", bound=Holdable)


@dataclass
class _Place(Generic[T]):
    """One thing that is held, or about to be; `lock` makes one thread open it while others wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    thing: T | None = None
    borrowers: int = 0


class Held(Generic[T]):
    """Things by key, opened when first borrowed; a borrowed one is never closed.

    Args:
        most: Things to keep open at most.
        most_bytes: Memory that they may take together; one thing alone may take more.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._lock = threading.Lock()
        self._places: OrderedDict[Hashable, _Place[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    @contextmanager
    def borrow(self, key: Hashable, opener: Callable[[], T]) -> Iterator[T]:
        """The thing of this key while the block runs; opened by `opener` when it is not held."""
        with self._lock:
            place = self._places.setdefault(key, _Place())
            self._places.move_to_end(key)
            place.borrowers += 1
        try:
            with place.lock:
                if place.thing is None:
                    place.thing = opener()
            yield place.thing
        finally:
            with self._lock:
                place.borrowers -= 1
                closing = self._surplus()
            for thing in closing:
                thing.close()

    def close(self) -> None:
        """Close whatever nobody has borrowed."""
        with self._lock:
            closing = [self._removed(key) for key, place in list(self._places.items()) if not place.borrowers]
        for thing in closing:
            if thing is not None:
                thing.close()

    def _surplus(self) -> list[T]:
        """Take out what is too much; places whose opening failed go first."""
        for key in [key for key, place in self._places.items() if place.thing is None and not place.borrowers]:
            del self._places[key]
        idle = [key for key, place in self._places.items() if not place.borrowers]
        out: list[T] = []
        for key in idle:
            weight = sum(place.thing.weight_bytes for place in self._places.values() if place.thing is not None)
            if len(self._places) <= 1 or (len(self._places) <= self._most and weight <= self._most_bytes):
                break
            thing = self._removed(key)
            out += [thing] if thing is not None else []
        return out

    def _removed(self, key: Hashable) -> T | None:
        return self._places.pop(key).thing
