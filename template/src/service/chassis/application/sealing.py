"""Text that only this service can read again: encrypted and authenticated."""

import os
import struct
import time
from base64 import b64decode, urlsafe_b64encode
from binascii import Error

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE, WHEN = 12, struct.Struct(">Q")


class Unsealable(Exception):
    """Not sealed here, for another purpose, changed since, or too old."""


class Seal:
    """One key for each purpose, so that nothing sealed for one opens for another."""

    def __init__(self, key: str, purpose: str) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(key.encode())
        self._aead = AESGCM(derived)

    def close(self, text: str, *, at: float | None = None) -> str:
        """Sealed now, unless a time is given."""
        nonce, when = os.urandom(NONCE), WHEN.pack(int(time.time() if at is None else at))
        sealed = self._aead.encrypt(nonce, when + text.encode(), None)
        # Without the signs at the end, which cookies would put into quotes.
        return urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, sealed: str, *, within_seconds: int | None = None) -> str:
        try:
            raw = b64decode(sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
            plain = self._aead.decrypt(raw[:NONCE], raw[NONCE:], None)
        except (InvalidTag, Error, ValueError) as error:
            raise Unsealable from error
        (when,) = WHEN.unpack(plain[: WHEN.size])
        if within_seconds is not None and time.time() - when > within_seconds:
            raise Unsealable
        return plain[WHEN.size :].decode()
