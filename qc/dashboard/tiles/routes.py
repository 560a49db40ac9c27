"""Routes of the viewer, plain Starlette: tiles, overlay, what a slide is, the photographed glass.

Every answer needs a token for this very slide in the header `X-Slide-Token`; nothing is kept by the browser's disk.
"""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from qc.dashboard.tiles.pictures import jpeg
from qc.dashboard.tiles.server import TileServer, tile_server
from qc.dashboard.tiles.shown_slide import SHOWN_CLASSES, NotShownError
from qc.dashboard.tiles.tokens import Permit
from qc.dashboard.viewer.files import library_route
from qc.errors import SlideError
from qc.labels import ArtefactClass

TOKEN_HEADER = "X-Slide-Token"
CAPTION_HEADER = "X-Caption"
_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_LOG = logging.getLogger(__name__)
_STYLES = ("fill", "line")

_KINDS = ("tiles", "overlay", "heat", "slide", "macro", "viewer")

T = TypeVar("T")


def routes(server: TileServer | None = None) -> list[BaseRoute]:
    """The routes.

    Args:
        server: What they serve; by default the one of this process.
    """
    served = _Routes(server or tile_server())
    tile = "{slide_id}/{level:int}/{column:int}_{row:int}"
    return [
        Route(f"/qc/tiles/{tile}.jpg", served.slide_tile, methods=["GET"]),
        Route(f"/qc/overlay/{tile}.png", served.overlay_tile, methods=["GET"]),
        Route("/qc/heat/{slide_id}/{name}.png", served.heat, methods=["GET"]),
        Route("/qc/slide/{slide_id}.json", served.about, methods=["GET"]),
        Route("/qc/macro/{slide_id}.jpg", served.macro, methods=["GET"]),
        library_route(),
        *(Route(f"/qc/{name}/{{rest:path}}", _nothing) for name in _KINDS),
    ]


class _Routes:
    """Answers to requests, each by a thread of its own, as many at once as there are cores."""

    def __init__(self, server: TileServer) -> None:
        self._server = server

    async def slide_tile(self, request: Request) -> Response:
        where = _tile(request)
        return await self._picture(request, "image/jpeg", lambda permit: self._server.slide_tile(permit, *where))

    async def overlay_tile(self, request: Request) -> Response:
        where, style = _tile(request), request.query_params.get("style", "fill")
        classes = _classes(request.query_params.get("classes", ""))
        if classes is None or style not in _STYLES:
            return _refused(400, "no such classes or style")
        chosen = "line" if style == "line" else "fill"
        return await self._picture(
            request, "image/png", lambda permit: self._server.overlay_tile(permit, *where, classes, chosen)
        )

    async def heat(self, request: Request) -> Response:
        name = request.path_params["name"]
        return await self._picture(request, "image/png", lambda permit: self._server.heat(permit, name))

    async def macro(self, request: Request) -> Response:
        def work(permit: Permit) -> Response:
            _LOG.info("the photographed glass of %s was shown to %s", permit.slide_id, permit.subject)
            photo = self._server.glass(permit)
            if photo is None:
                return _refused(404, "no such picture")
            return Response(jpeg(photo.rgb), 200, {**_PRIVATE, CAPTION_HEADER: photo.caption}, "image/jpeg")

        return await self._answer(request, work)

    async def about(self, request: Request) -> Response:
        def work(permit: Permit) -> Response:
            return JSONResponse(self._server.about(permit), headers=_PRIVATE)

        return await self._answer(request, work)

    async def _picture(self, request: Request, kind: str, work: Callable[[Permit], bytes | None]) -> Response:
        def answer(permit: Permit) -> Response:
            data = work(permit)
            return _refused(404, "no such picture") if data is None else Response(data, 200, _PRIVATE, kind)

        return await self._answer(request, answer)

    async def _answer(self, request: Request, work: Callable[[Permit], Response]) -> Response:
        permit = self._server.permit(request.headers.get(TOKEN_HEADER, ""), request.path_params["slide_id"])
        if permit is None:
            return _refused(401, "a token for this slide is needed")
        async with self._server.limiter:
            if await request.is_disconnected():  # zoomed away meanwhile
                return Response(status_code=499)
            try:
                return await anyio.to_thread.run_sync(work, permit)
            except NotShownError as error:
                return _refused(410, str(error))
            except SlideError:
                _LOG.warning("a picture of %s cannot be decoded", permit.slide_id)
                return _refused(422, "these pixels of the file cannot be decoded")


def _tile(request: Request) -> tuple[int, int, int]:
    params: dict[str, Any] = request.path_params
    return params["level"], params["column"], params["row"]


def _classes(text: str) -> tuple[ArtefactClass, ...] | None:
    """Classes from their ids, such as `2-5`; none when empty; None when it means nothing."""
    ids = {str(int(cls)): cls for cls in SHOWN_CLASSES}
    parts = text.split("-") if text else []
    return tuple(ids[part] for part in parts) if all(part in ids for part in parts) else None


async def _nothing(_request: Request) -> Response:
    return _refused(404, "no such picture")


def _refused(status: int, reason: str) -> Response:
    return JSONResponse({"reason": reason}, status, headers=_PRIVATE)
