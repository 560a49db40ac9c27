"""What stands behind the routes: slides that pages admitted, tokens for them, and the pictures asked for.

No path ever comes from a client: a slide is known by its run and id only after a page, which has checked who looks,
has taken its record out of the store and admitted it.
"""

import ctypes
import math
import os
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import anyio

from qc.dashboard.tiles import pictures
from qc.dashboard.tiles.about import about
from qc.dashboard.tiles.held import Held
from qc.dashboard.tiles.shown_slide import ShownSlide, Source
from qc.dashboard.tiles.tokens import Permit, Signer
from qc.figures.glass import GlassPhoto
from qc.labels import ArtefactClass
from qc.slide.reader import DecodedCache
from qc.store.people import Actor, Role

TOKEN_SECONDS = 600
_CACHE_BYTES = 64 << 20
_SLIDES_MOST = 12
_SOURCES_MOST = 5000
_SLIDES_BYTES = 512 << 20
_M_ARENA_MAX = -8  # malloc.h
_SEES_GLASS = Role.TECHNICIAN


class TileServer:
    """Pictures of admitted slides, in bounded memory.

    Args:
        now: Tells the time, seconds since 1970 UTC.
        slides_most: Slides to keep open at most.
    """

    def __init__(self, now: Callable[[], float] = time.time, slides_most: int = _SLIDES_MOST) -> None:
        self._now = now
        self._signer = Signer(secrets.token_bytes(32), now)
        self._cache = DecodedCache(_CACHE_BYTES)
        self._held: Held[ShownSlide] = Held(slides_most, _SLIDES_BYTES)
        self._lock = threading.Lock()
        self._sources: dict[tuple[str, str], Source] = {}
        self._left_at: dict[str, float] = {}
        self.limiter = anyio.CapacityLimiter(os.cpu_count() or 1)

    def admit(self, run_id: str, source: Source, actor: Actor) -> str:
        """A token with which this person may look at this slide for the next ten minutes."""
        slide_id = source.record.stamp.slide_id
        with self._lock:
            self._sources.pop((run_id, slide_id), None)
            self._sources[run_id, slide_id] = source
            if len(self._sources) > _SOURCES_MOST:
                del self._sources[next(iter(self._sources))]
        now = self._now()
        permit = Permit(
            run_id=run_id,
            slide_id=slide_id,
            subject=actor.subject,
            may_see_glass=actor.role.covers(_SEES_GLASS),
            made=now,
            until=now + TOKEN_SECONDS,
        )
        return self._signer.token(permit)

    def permit(self, token: str, slide_id: str) -> Permit | None:
        """The permit of a token, if it is for this slide, holds now, and its person has not left since."""
        permit = self._signer.permit(token)
        if permit is None or permit.slide_id != slide_id or permit.made <= self._left_at.get(permit.subject, -math.inf):
            return None
        return permit if (permit.run_id, permit.slide_id) in self._sources else None

    def end(self, subject: str) -> None:
        """End all tokens of a person, who has logged out; a page that is still open elsewhere asks for new ones."""
        self._left_at[subject] = self._now()

    @contextmanager
    def shown(self, permit: Permit) -> Iterator[ShownSlide]:
        """The open slide of a permit.

        Raises:
            NotShownError: If its file is gone, is another one by now, or cannot be opened.
        """
        source = self._sources[permit.run_id, permit.slide_id]
        stamp = source.record.stamp
        key = (permit.run_id, permit.slide_id, stamp.slide_fingerprint, stamp.settings_fingerprint)
        with self._held.borrow(key, lambda: ShownSlide(source, self._cache)) as shown:
            yield shown

    def slide_tile(self, permit: Permit, level: int, column: int, row: int) -> bytes | None:
        """JPEG of a tile; None when the slide has no such tile."""
        with self.shown(permit) as shown:
            size = shown.level_size(level)
            window = size and pictures.tile_window(size, column, row)
            return window and pictures.slide_tile(shown.slide, level, window)

    def overlay_tile(
        self,
        permit: Permit,
        level: int,
        column: int,
        row: int,
        shown_classes: Collection[ArtefactClass],
        style: pictures.Style,
    ) -> bytes | None:
        """PNG of the overlay over a tile; None when the slide has no such tile, or no map is at hand."""
        with self.shown(permit) as shown:
            size = shown.level_size(level)
            window = size and pictures.tile_window(size, column, row)
            floors = shown.floors if window else None
            if size is None or window is None or floors is None:
                return None
            return pictures.overlay_tile(floors, window, size, shown_classes, style)

    def heat(self, permit: Permit, name: str) -> bytes | None:
        """PNG of a classifier's heat map over the whole slide; None when there is none of this name."""
        with self.shown(permit) as shown:
            return next((heat.path.read_bytes() for heat in shown.heats if heat.name == name), None)

    def about(self, permit: Permit) -> dict[str, Any]:
        """What the viewer has to know of the slide."""
        with self.shown(permit) as shown:
            record = self._sources[permit.run_id, permit.slide_id].record
            return about(shown, record, permit.may_see_glass and shown.has_macro)

    def glass(self, permit: Permit) -> GlassPhoto | None:
        """The photographed glass, its label covered; None when there is none, or the person may not see it."""
        if not permit.may_see_glass:
            return None
        with self.shown(permit) as shown:
            return shown.glass

    def close(self) -> None:
        """Close the slides."""
        self._held.close()


@cache
def tile_server() -> TileServer:
    """The one of this process: pages admit slides to it, routes serve them."""
    _give_memory_back()
    return TileServer()


def _give_memory_back() -> None:
    """Let all threads share two heaps: glibc gives each its own, and what they free stays theirs."""
    with suppress(OSError, AttributeError, TypeError):  # other C libraries do without
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
