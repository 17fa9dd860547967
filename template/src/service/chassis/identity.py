"""Who is calling, for which tenant, and what that role may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from time import time
from typing import NewType
from uuid import UUID

from service.chassis.errors import Forbidden, SignInAgain

TenantId = NewType("TenantId", UUID)
MemberId = NewType("MemberId", UUID)
SessionId = NewType("SessionId", UUID)


class Action(StrEnum):
    READ = "read"
    WRITE = "write"
    ADMINISTER = "administer"
    OWN = "own"


class Role(StrEnum):
    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"
    OWNER = "owner"


# The whole role matrix. A role that is not listed here may do nothing.
GRANTED: Mapping[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.READ}),
    Role.EDITOR: frozenset({Action.READ, Action.WRITE}),
    Role.ADMIN: frozenset({Action.READ, Action.WRITE, Action.ADMINISTER}),
    Role.OWNER: frozenset(Action),
}

# What only a person may do who proved just now who they are.
STEPPED_UP = frozenset({Action.ADMINISTER, Action.OWN})
FRESH_SECONDS = 900


@dataclass(frozen=True)
class Permission:
    """One action on one feature: `notes:read`."""

    feature: str
    action: Action

    def __str__(self) -> str:
        return f"{self.feature}:{self.action}"


@dataclass(frozen=True)
class Caller:
    """A member in a session, or a machine with a key (then without a session)."""

    subject: str
    tenant_id: TenantId
    role: Role
    plan: str = "standard"
    scopes: frozenset[str] | None = None
    session_id: SessionId | None = None
    authenticated_at: float = 0

    @property
    def member_id(self) -> MemberId:
        if self.session_id is None:
            raise Forbidden("Only a person can do this; sign in instead of using a key.")
        return MemberId(UUID(self.subject))

    def may(self, permission: Permission) -> bool:
        if self.scopes is not None and str(permission) not in self.scopes:
            return False
        return permission.action in GRANTED.get(self.role, frozenset())

    def require(self, permission: Permission) -> None:
        """Asked by the guard and again by the use case; what is unclear is refused."""
        try:
            allowed = self.may(permission)
        except Exception as error:
            raise Forbidden("It could not be decided whether you may do this.") from error
        if not allowed:
            raise Forbidden(f"This needs the permission {permission}; your role is {self.role}.")
        if permission.action in STEPPED_UP:
            self.require_fresh_sign_in()

    def require_fresh_sign_in(self) -> None:
        if self.session_id is None:
            raise Forbidden("Only a person can do this; sign in instead of using a key.")
        if self.authenticated_at < time() - FRESH_SECONDS:
            raise SignInAgain("Sign in again: this needs a recent proof of who you are.")
