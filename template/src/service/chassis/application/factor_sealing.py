"""Encryption of what the database holds and must be read again: AES-GCM, one key."""

import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

NONCE = 12


class Sealer:
    def __init__(self, key: SecretStr) -> None:
        secret = key.get_secret_value().encode()
        self._aead = AESGCM(_derived(secret, b"sealed"))
        self._mac_key = _derived(secret, b"compared")

    def seal(self, plain: bytes, of: bytes) -> bytes:
        """`of` is whom it belongs to: moved to somebody else's row, it opens no more."""
        nonce = os.urandom(NONCE)
        return nonce + self._aead.encrypt(nonce, plain, of)

    def unseal(self, sealed: bytes, of: bytes) -> bytes:
        return self._aead.decrypt(sealed[:NONCE], sealed[NONCE:], of)

    def hashed(self, plain: str, of: bytes) -> bytes:
        """For what is too short to be safe under a hash that everybody can compute."""
        return hmac.digest(self._mac_key, of + plain.encode(), "sha256")


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, b"accounts " + purpose).derive(secret)
