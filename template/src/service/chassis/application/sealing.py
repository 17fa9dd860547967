"""Text that only this service can read again: encrypted and authenticated."""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Unsealable(Exception):
    """Not sealed here, for another purpose, changed since, or too old."""


class Seal:
    """One key for each purpose, so that nothing sealed for one opens for another."""

    def __init__(self, key: str, purpose: str) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(key.encode())
        self._fernet = Fernet(urlsafe_b64encode(derived))

    def close(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str, *, within_seconds: int | None = None) -> str:
        try:
            return self._fernet.decrypt(sealed.encode(), ttl=within_seconds).decode()
        except (InvalidToken, ValueError) as error:
            raise Unsealable from error
