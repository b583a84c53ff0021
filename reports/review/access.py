"""Who asks, and what that person may do.

Alone on one machine everybody who reaches the page is its user, a reviewer. Behind a proxy that
authenticates, the proxy names the person and the role in two headers; it must set both itself on
every request, so that what a client sends in them never arrives.
"""

import getpass
from dataclasses import dataclass
from enum import StrEnum

from werkzeug.datastructures import Headers

_LONGEST = 120


class Role(StrEnum):
    """What a person may do: read, or decide as well."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks.

    Attributes:
        name: The name that stands under a decision.
        role: What the person may do.
        named: Whether a proxy vouches for the name, which then can't be typed.

    """

    name: str
    role: Role
    named: bool

    @property
    def decides(self) -> bool:
        """Say whether the person may comment, dispute and sign off."""
        return self.role is Role.REVIEWER


@dataclass(frozen=True, slots=True)
class Access:
    """How a request tells who asks.

    Attributes:
        name_header: The header with the name; empty where there is no proxy.
        role_header: The header with the role, or with several between commas.

    """

    name_header: str = ""
    role_header: str = ""

    def person(self, headers: Headers) -> Person | None:
        """Return who asks; None if the proxy named nobody or gave no role that is known."""
        if not self.name_header:
            return Person(_user(), Role.REVIEWER, named=False)
        name = headers.get(self.name_header, "").strip()[:_LONGEST]
        given = {role.strip().lower() for role in headers.get(self.role_header, "").split(",")}
        roles = [role for role in (Role.REVIEWER, Role.VIEWER) if role.value in given]
        return Person(name, roles[0], named=True) if name and roles else None


ANYBODY = Access()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        return ""
