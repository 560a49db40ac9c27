"""The viewer on a page: a slide and a token in, a zoomable picture with overlay and places to look at out."""

from dataclasses import dataclass
from typing import Any

from streamlit.components.v2 import component

from qc.dashboard.tiles import TOKEN_HEADER
from qc.dashboard.viewer import files

_NAME = "slidegate_viewer"


@dataclass(frozen=True)
class Look:
    """A slide that a person may look at.

    Attributes:
        slide_id: The slide.
        token: What the tile server gave for it.
    """

    slide_id: str
    token: str


def slide_viewer(
    look: Look, upcoming: Look | None, *, url_base: str, shows_findings: bool, room_px: int, key: str
) -> bool:
    """Draw the viewer; it stays as it is over reruns, and changes the slide when `look` does.

    Args:
        look: The slide to show.
        upcoming: The slide that comes next, so that it opens at once.
        url_base: What stands before every path of this server.
        shows_findings: False hides overlay and places until the person has decided.
        room_px: Height that the rest of the page needs, pixels.
        key: Of the element, the same over reruns.

    Returns:
        True when the token has ended and the viewer asks for a new one.
    """
    data: dict[str, Any] = {
        "url": url_base,
        "header": TOKEN_HEADER,
        "library": files.LIBRARY,
        "slide_id": look.slide_id,
        "token": look.token,
        "next": None if upcoming is None else {"slide_id": upcoming.slide_id, "token": upcoming.token},
        "shows_findings": shows_findings,
        "room_px": room_px,
    }
    mount = component(_NAME, html=files.markup(), css=files.style(), js=files.script())
    result = mount(key=key, data=data, on_stale_change=lambda: None)
    return result.stale is not None
