"""Who is calling, for which tenant, and what that role may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType
from uuid import UUID

from service.chassis.errors import Forbidden

TenantId = NewType("TenantId", UUID)


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


@dataclass(frozen=True)
class Permission:
    """One action on one feature: `notes:read`."""

    feature: str
    action: Action

    def __str__(self) -> str:
        return f"{self.feature}:{self.action}"


@dataclass(frozen=True)
class Caller:
    subject: str
    tenant_id: TenantId
    role: Role

    def may(self, permission: Permission) -> bool:
        return permission.action in GRANTED.get(self.role, frozenset())

    def require(self, permission: Permission) -> None:
        if not self.may(permission):
            raise Forbidden(f"This needs the permission {permission}; your role is {self.role}.")
