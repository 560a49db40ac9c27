"""Tokens for pictures of one slide: made for a person when a page opens it, checked at every picture. Pure.

A token is `payload.signature`, both in URL-safe base64: the payload is JSON, the signature its HMAC-SHA-256.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable

from pydantic import Field, ValidationError

from qc.config.base import Settings


class Permit(Settings):
    """What a token allows."""

    run_id: str = Field(description="Run that the slide was assessed in.")
    slide_id: str = Field(description="The slide.")
    subject: str = Field(description="Who may see it.")
    may_see_glass: bool = Field(description="True when the photograph of the whole glass may be seen, too.")
    made: float = Field(description="When it was made, seconds since 1970 UTC.")
    until: float = Field(description="When it ends, seconds since 1970 UTC.")


class Signer:
    """Makes tokens and reads them; each signer knows its own only.

    Args:
        secret: Key of the signatures, 32 random bytes.
        now: Tells the time, seconds since 1970 UTC.
    """

    def __init__(self, secret: bytes, now: Callable[[], float]) -> None:
        self._secret, self._now = secret, now

    def token(self, permit: Permit) -> str:
        """A token for a permit."""
        payload = permit.model_dump_json().encode()
        return f"{_to_text(payload)}.{_to_text(self._signature(payload))}"

    def permit(self, token: str) -> Permit | None:
        """The permit of a token that this signer made and that has not ended; None otherwise."""
        try:
            payload, signature = (_from_text(part) for part in token.split("."))
        except (ValueError, binascii.Error):
            return None
        if not hmac.compare_digest(signature, self._signature(payload)):
            return None
        try:
            permit = Permit.model_validate_json(payload)
        except ValidationError:
            return None
        return permit if permit.until > self._now() else None

    def _signature(self, payload: bytes) -> bytes:
        return hmac.new(self._secret, payload, hashlib.sha256).digest()


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _from_text(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
