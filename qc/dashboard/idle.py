"""Who was last at work when: a login ends when nobody touches the screen, whatever its cookie says."""

import threading
import time
from collections.abc import Callable
from typing import NoReturn

import streamlit as st

_BY_ITSELF = "drawn_by_itself"


class Activity:
    """Time of the last touch of each person, in this process.

    Args:
        now: Seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}

    def touch(self, subject: str) -> None:
        """Note that a person is at work now."""
        with self._lock:
            self._last[subject] = self._now()

    def is_idle(self, subject: str, logged_in_at: float, minutes: float) -> bool:
        """True when neither a touch nor the login itself is as young as `minutes`.

        Args:
            subject: Who.
            logged_in_at: When the login was made, seconds since the epoch; 0 when it does not say.
            minutes: How long a screen may stay untouched.
        """
        with self._lock:
            last = max(self._last.get(subject, 0.0), logged_in_at)
        return self._now() - last > minutes * 60


_ACTIVITY = Activity()


def touch(subject: str) -> None:
    """Note that a person is at work now."""
    _ACTIVITY.touch(subject)


def is_idle(subject: str, logged_in_at: float, minutes: float) -> bool:
    """True when a person has not been at work for so long."""
    return _ACTIVITY.is_idle(subject, logged_in_at, minutes)


def rerun_by_itself() -> NoReturn:
    """Draw the page anew without the person: that is no touch."""
    st.session_state[_BY_ITSELF] = True
    st.rerun()


def was_by_itself() -> bool:
    """True once for each drawing that no person asked for."""
    return bool(st.session_state.pop(_BY_ITSELF, False))
