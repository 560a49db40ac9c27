"""Without a login nobody but this machine is answered, whatever address the server listens on."""

from collections.abc import Callable
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_REFUSAL = (
    b"This server has no login configured and answers only to the machine it runs on.\n"
    b"Configure one: see docs/dashboard.md, section Login.\n"
)


class LoopbackOnly:
    """ASGI middleware that refuses other machines, and other host names, while there is no login.

    The host name is checked because a page of another site may have its name resolved to 127.0.0.1.

    Args:
        app: What is behind it.
        has_login: True when a login guards the pages.
    """

    def __init__(self, app: ASGIApp, has_login: Callable[[], bool]) -> None:
        self._app, self._has_login = app, has_login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] == "lifespan" or is_local(scope) or self._has_login():
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "no login configured"})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _REFUSAL})


def is_local(scope: Scope) -> bool:
    """True when a request comes from this machine and asks for it by a local name."""
    client = scope.get("client")
    headers = dict(scope.get("headers") or ())
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return client is not None and _is_loopback(client[0]) and name in _LOCAL_NAMES


def _is_loopback(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback
