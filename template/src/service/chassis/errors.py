"""
What can go wrong, said without HTTP (`contract/problems.py` adds the status).

ServiceError
├── Malformed             the request cannot be read
├── Unauthenticated       we do not know who you are
├── Forbidden             we know, and you may not
├── NotFound              nothing here *that you may see*
├── Conflict              the state does not allow it
├── Stale                 it changed since you read it
├── PreconditionRequired  say which version you read
├── Invalid               understood, but a field breaks a rule
└── Unavailable           something we depend on is down

The message of each is shown to the caller: never put an internal one into it.
"""

from typing import ClassVar


class ServiceError(Exception):
    code: ClassVar[str] = "internal"


class Malformed(ServiceError):
    code = "malformed"


class Unauthenticated(ServiceError):
    code = "unauthenticated"


class Forbidden(ServiceError):
    code = "forbidden"


class NotFound(ServiceError):
    code = "not-found"


class Conflict(ServiceError):
    code = "conflict"


class Stale(ServiceError):
    code = "stale"


class PreconditionRequired(ServiceError):
    code = "precondition-required"


class Invalid(ServiceError):
    code = "invalid"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class Unavailable(ServiceError):
    code = "unavailable"
