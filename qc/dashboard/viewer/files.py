"""Files of the viewer: what is mounted into the page, and the library that the browser fetches once."""

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

LIBRARY = "openseadragon-6.1.1.min.js"
_WEB = Path(__file__).with_name("web")
_FOR_A_YEAR = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


@cache
def script() -> str:
    """The component's module."""
    return "\n".join(_read(name) for name in ("slide.js", "viewer.js"))


@cache
def markup() -> str:
    """The component's HTML."""
    return _read("viewer.html")


@cache
def style() -> str:
    """The component's CSS."""
    return _read("viewer.css")


def library_route() -> Route:
    """The library; public, and its version is in its name."""
    return Route(f"/qc/viewer/{LIBRARY}", _library, methods=["GET"])


async def _library(_request: Request) -> Response:
    return FileResponse(_WEB / LIBRARY, headers=_FOR_A_YEAR, media_type="text/javascript")


def _read(name: str) -> str:
    return (_WEB / name).read_text(encoding="utf-8")
