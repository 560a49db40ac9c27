"""Who looks: claims of a login in, an actor out. Without a configured login it is the person at this machine."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from pydantic import Field, ValidationError

from qc.config.base import Settings
from qc.dashboard import idle
from qc.dashboard.tiles import tile_server
from qc.errors import RefusedError, SettingsError
from qc.store.database import Store
from qc.store.people import Actor, Role, local_admin

_CHECK_SECONDS = 20


class LoginSettings(Settings):
    """Section `[slidegate]` of `.streamlit/secrets.toml`, beside Streamlit's own `[auth]`."""

    role_claim: str = Field(default="roles", description="Claim of the login that holds a person's groups or roles.")
    roles: dict[Role, tuple[str, ...]] = Field(
        default={role: (role.value,) for role in Role},
        description="For each of our roles, the values of the claim that give it; the highest counts.",
    )
    idle_minutes: float = Field(default=15, gt=0, description="Minutes without a touch after which the login ends.")


def is_configured() -> bool:
    """True when the server's secrets name a login provider."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets


def login_settings() -> LoginSettings:
    """The section of the secrets, or the defaults.

    Raises:
        SettingsError: If it cannot be used.
    """
    section = st.secrets.get("slidegate", {}) if st.secrets.load_if_toml_exists() else {}
    try:
        return LoginSettings.model_validate(_plain(section))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        message = f"[slidegate] of the secrets: {where}: {problem['msg']}"
        raise SettingsError(message, "see docs/dashboard.md") from error


def actor_of(claims: Mapping[str, Any], settings: LoginSettings, store: Store) -> Actor:
    """The person of a login; a role that the store notes goes before the one claimed.

    Args:
        claims: What the provider says about the person; `sub` is the id.
        settings: Which claim gives which role.
        store: May know the person.

    Raises:
        RefusedError: If the person has left, or neither the store nor the claim gives a role.
    """
    subject = str(claims.get("sub") or "")
    if not subject:
        raise RefusedError("the login does not say who you are (no claim `sub`)", "ask an admin")
    name = str(claims.get("name") or claims.get("preferred_username") or claims.get("email") or subject)[:120]
    known = store.user(subject)
    if known is not None and not known.is_active:
        raise RefusedError(f"{known.name} is no longer active in this store", "ask an admin")
    if known is not None:
        return known.actor
    role = claimed_role(claims, settings)
    if role is None:
        raise RefusedError(f"{name} has no role here (id {subject})", "ask an admin to run `qc users set`")
    return Actor(subject=subject, name=name, role=role)


def claimed_role(claims: Mapping[str, Any], settings: LoginSettings) -> Role | None:
    """The highest role that the claim gives; None when it gives none.

    >>> claimed_role({"roles": ["technician", "golf club"]}, LoginSettings()).label
    'technician'
    """
    said = claims.get(settings.role_claim, ())
    values = {said} if isinstance(said, str) else {str(value) for value in said or ()}
    granted = [role for role in Role if values & set(settings.roles.get(role, ()))]
    return granted[-1] if granted else None


def require_actor(store: Store) -> Actor:
    """Who looks; stops the page when that is not known yet, not allowed, or was idle for too long.

    Raises:
        RefusedError: If the person may not look.
        SettingsError: If the login is configured wrongly.
    """
    if not is_configured():
        return local_admin()
    if not st.user.is_logged_in:
        _ask()
    settings, claims = login_settings(), st.user.to_dict()
    actor = actor_of(claims, settings, store)
    since = _logged_in_at(claims)
    if idle.is_idle(actor.subject, since, settings.idle_minutes):
        tile_server().end(actor.subject)
        _leave()
    if not idle.was_by_itself():
        idle.touch(actor.subject)
    _watch(actor.subject, since, settings.idle_minutes)
    return actor


def show_actor(actor: Actor) -> None:
    """Who is logged in, and the way out."""
    st.sidebar.caption(f"{actor.name} · {actor.role.label}")
    if not is_configured():
        st.sidebar.caption("No login is configured: this server answers only to this machine.")
    elif st.sidebar.button("Log out", icon=":material/logout:"):
        tile_server().end(actor.subject)
        st.logout()


@st.fragment(run_every=_CHECK_SECONDS)
def _watch(subject: str, since: float, minutes: float) -> None:
    """Clear a screen that nobody touches: a fragment that runs by itself, which is no touch."""
    if idle.is_idle(subject, since, minutes):
        st.rerun()


def _ask() -> None:
    st.title("SlideGate")
    st.write("Log in to see the slides.")
    if st.button("Log in", type="primary", icon=":material/login:"):
        st.login()
    st.stop()


def _leave() -> None:
    st.title("SlideGate")
    st.write("You were logged out because nobody touched this screen for a while.")
    st.logout()
    st.stop()


def _logged_in_at(claims: Mapping[str, Any]) -> float:
    """When the provider made the login, seconds since the epoch; 0 when it does not say."""
    said = claims.get("auth_time") or claims.get("iat") or 0
    return float(said) if isinstance(said, int | float) else 0.0


def _plain(value: Any) -> Any:
    """Secrets as plain dictionaries and lists."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return value
