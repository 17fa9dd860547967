"""
What can go wrong, said without HTTP (`contract/problems.py` adds the status).

ServiceError
├── Malformed             the request cannot be read
├── SignInFailed          a sign-in at an identity provider came to nothing
├── Unauthenticated       we do not know who you are
├── SignInAgain           we know, but this needs a fresh proof
├── SecondFactorRequired  the password is right, and not enough
├── Forbidden             we know, and you may not
├── NotFound              nothing here *that you may see*
├── Conflict              the state does not allow it
├── Stale                 it changed since you read it
├── PreconditionRequired  say which version you read
├── TooLarge              more than this service takes
├── UnsupportedMedia      a kind of content that is not read here
├── Invalid               understood, but a field breaks a rule
├── KeyRequired           say which attempt this is
├── KeyReused             the idempotency key stands for another request
├── InProgress            the first request with this key is still at work
├── RunCancelled          a question to a model was taken back
├── Unrepeatable          done before, and its answer cannot be shown again
├── TooManyKeys           this caller has more keys alive than anyone needs
├── SignatureRefused      a webhook is not signed as agreed
├── AddressRefused        an address that you gave may not be called
├── AddressUnreachable    it may, and does not answer as it should
├── TooManyRequests       a limit is reached
└── Unavailable           something we depend on is down

The message of each is shown to the caller: never put an internal one into it.
"""

from typing import ClassVar


class ServiceError(Exception):
    code: ClassVar[str] = "internal"


class Malformed(ServiceError):
    code = "malformed"


class SignInFailed(ServiceError):
    code = "sign-in-failed"


class Unauthenticated(ServiceError):
    code = "unauthenticated"


class SignInAgain(ServiceError):
    code = "sign-in-again"


class SecondFactorRequired(ServiceError):
    code = "second-factor-required"


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


class TooLarge(ServiceError):
    code = "too-large"


class UnsupportedMedia(ServiceError):
    code = "unsupported-media-type"


class Invalid(ServiceError):
    code = "invalid"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class KeyRequired(ServiceError):
    code = "key-required"


class KeyReused(ServiceError):
    code = "key-reused"


class InProgress(ServiceError):
    code = "in-progress"


class RunCancelled(ServiceError):
    code = "run-cancelled"


class Unrepeatable(ServiceError):
    code = "unrepeatable"


class TooManyKeys(ServiceError):
    code = "too-many-keys"


class TooManyRequests(ServiceError):
    code = "too-many-requests"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(ServiceError):
    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SignatureRefused(ServiceError):
    code = "signature-refused"


class AddressRefused(ServiceError):
    code = "address-refused"


class AddressUnreachable(ServiceError):
    code = "address-unreachable"
