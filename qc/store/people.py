"""Who acts on a store: a role says what a person may do, and is checked where the write happens."""

import getpass
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from qc.config.base import Settings


class Role(StrEnum):
    """What a person may do; each role may do what the ones before it may."""

    VIEWER = "viewer"
    TECHNICIAN = "technician"
    QC_MANAGER = "qc_manager"
    ADMIN = "admin"

    @property
    def label(self) -> str:
        """Name for people: `QC manager`."""
        return "QC manager" if self is Role.QC_MANAGER else self.value

    def covers(self, least: "Role") -> bool:
        """True when this role may do what `least` may.

        >>> Role.ADMIN.covers(Role.TECHNICIAN), Role.VIEWER.covers(Role.TECHNICIAN)
        (True, False)
        """
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(least)


def storable(text: str) -> str:
    """Text that every database holds as it is: no NUL, no half of a surrogate pair.

    Raises:
        ValueError: If it has one.
    """
    if "\x00" in text:
        raise ValueError("text holds a NUL character")
    text.encode("utf-8")  # UnicodeEncodeError is a ValueError
    return text


Text = Annotated[str, AfterValidator(storable)]
"""Text that every database holds as it is."""


class Actor(Settings):
    """Who asks for a change, as far as the caller knows; a role noted in the store goes before this one."""

    subject: Text = Field(min_length=1, max_length=200, description="Stable id, such as the login's `sub`.")
    name: Text = Field(min_length=1, max_length=120, description="Name for people.")
    role: Role = Field(description="What the person may do.")


class User(Settings):
    """A person that the store knows."""

    subject: Text = Field(min_length=1, max_length=200, description="Stable id, such as the login's `sub`.")
    name: Text = Field(min_length=1, max_length=120, description="Name for people.")
    role: Role = Field(description="What the person may do.")
    is_active: bool = Field(default=True, description="False once the person has left; nothing may be changed then.")

    @property
    def actor(self) -> Actor:
        """The person as one who acts."""
        return Actor(subject=self.subject, name=self.name, role=self.role)


def local_admin() -> Actor:
    """The person at this machine: whoever may open the store's files is an admin by nature, named by the system."""
    login = getpass.getuser()
    return Actor(subject=f"os:{login}", name=login, role=Role.ADMIN)
