"""The parts of the server: the script that draws pages, routes of our own, what guards them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from qc.dashboard import tiles
from qc.dashboard.login import is_configured
from qc.dashboard.loopback import LoopbackOnly

MAIN_SCRIPT = Path(__file__).parent / "script" / "main.py"


def routes() -> list[BaseRoute]:
    """Routes beside Streamlit's own."""
    return [*tiles.routes()]


def middleware() -> list[Middleware]:
    """What every request passes before it is answered."""
    return [Middleware(LoopbackOnly, has_login=is_configured)]


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """What is opened with the server and closed with it."""
    yield
