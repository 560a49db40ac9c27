"""What a person has on the desk: the slide under review, its lock and token, the last decision. Kept over reruns."""

import time
import uuid
from dataclasses import dataclass, field

import streamlit as st

from qc.dashboard.context import SLIDE_KEY, Context
from qc.dashboard.tiles import TOKEN_SECONDS, Source, tile_server
from qc.dashboard.viewer.component import Look
from qc.errors import RefusedError
from qc.record import Assessed
from qc.store.decision import Decision
from qc.store.people import Role

_KEY = "review_desk"
_LOCK_MINUTES = 10.0
_LEAST_SECONDS = 0.8
RENEW_SECONDS = 240
"""After so long lock and token are renewed, well before either ends."""


@dataclass
class Desk:
    """Changes as the person works; everything that has to last is in the store.

    Attributes:
        slide_id: The slide that was last shown.
        visited: Slides shown before it, oldest first.
        nonce: New for each slide shown, so that a click that is sent twice decides once.
        could_be_used: Answer to the question of the slide shown.
        last_decision: Number and slide of the person's last decision, to take it back.
        refusal: Why the last click changed nothing.
        told: What the last click changed.
        laid_at: When the slide was laid on the desk.
        locked_at: When the slide's lock was taken; 0 when it is somebody else's, or none is needed.
        tokens: Token and the time it was made, by run and slide.
    """

    slide_id: str = ""
    visited: list[str] = field(default_factory=list)
    nonce: str = ""
    could_be_used: bool | None = None
    last_decision: tuple[int, str] | None = None
    refusal: str = ""
    told: str = ""
    laid_at: float = 0.0
    locked_at: float = 0.0
    tokens: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)

    @classmethod
    def of_session(cls) -> "Desk":
        """The desk of this browser tab."""
        return st.session_state.setdefault(_KEY, cls())

    def lay(self, context: Context, slide_id: str) -> None:
        """Put a slide on the desk, and give the one before it back."""
        if slide_id == self.slide_id:
            return
        if self.slide_id:
            self.visited.append(self.slide_id)
            self._unlock(context)
        self.slide_id, self.nonce = slide_id, uuid.uuid4().hex
        self.could_be_used, self.locked_at, self.laid_at = None, 0.0, time.monotonic()
        self.tokens = {key: made for key, made in self.tokens.items() if key[1] == slide_id}

    def hold(self, context: Context, take_over: bool = False) -> None:
        """Lock the slide, or keep its lock; a slide that somebody else has stays theirs.

        Raises:
            RefusedError: If somebody else has it.
        """
        if time.time() - self.locked_at > RENEW_SECONDS:
            context.store.lock(context.actor, context.run_id, self.slide_id, _LOCK_MINUTES, take_over)
            self.locked_at = time.time()

    @property
    def is_too_soon(self) -> bool:
        """True when nobody can have seen the slide yet: a key that is held down must not decide about a row of them."""
        return time.monotonic() - self.laid_at < _LEAST_SECONDS

    def done(self, decision: Decision) -> None:
        """Note that the slide was decided about; the store has ended its lock."""
        self.last_decision = (decision.id, decision.key.slide_id)
        self.nonce, self.locked_at = uuid.uuid4().hex, 0.0

    def look(self, context: Context, record: Assessed) -> Look:
        """A slide with a token that holds for some minutes more."""
        slide_id = record.stamp.slide_id
        token, made_at = self.tokens.get((context.run_id, slide_id), ("", 0.0))
        if time.time() - made_at > min(RENEW_SECONDS, TOKEN_SECONDS / 2) - 5:
            folder = context.run.slide(slide_id) if context.run is not None else None
            token = tile_server().admit(context.run_id, Source(record, folder), context.actor)
            self.tokens[context.run_id, slide_id] = (token, time.time())
        return Look(slide_id, token)

    def _unlock(self, context: Context) -> None:
        if self.locked_at:
            try:
                context.store.unlock(context.actor, context.run_id, self.slide_id)
            except RefusedError:
                return  # whoever may no longer write has no lock to keep; it ends by itself


def go(context: Context, slide_id: str) -> None:
    """Show another slide from the next drawing on; the address says which, so that a reload finds it."""
    st.session_state[SLIDE_KEY] = slide_id
    st.query_params[SLIDE_KEY] = slide_id
    Desk.of_session().lay(context, slide_id)


def may_decide(context: Context) -> bool:
    """True when controls for decisions are worth showing."""
    return context.may(Role.TECHNICIAN)
