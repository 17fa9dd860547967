"""Every key, and every place that works with one, is on the page about cryptography."""

import ast
import re

from architecture.chassis_code import MODULES, ROOT, imports, within

from dev.settings_pages import variables

PAGE = (ROOT / "docs" / "cryptography.md").read_text("utf-8")
LISTED = frozenset(re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE))
LIBRARIES = frozenset(
    ("argon2", "cryptography", "hashlib", "hmac", "joserfc", "secrets", "ssl", "webauthn")
)
# What may be used of the largest library; anything else has to be reviewed first.
REVIEWED = {
    "cryptography.exceptions.InvalidTag",
    "cryptography.hazmat.primitives.asymmetric.ed25519.Ed25519PrivateKey",
    "cryptography.hazmat.primitives.ciphers.aead.AESGCM",
    "cryptography.hazmat.primitives.hashes.SHA256",
    "cryptography.hazmat.primitives.kdf.hkdf.HKDF",
    "cryptography.hazmat.primitives.serialization.Encoding",
    "cryptography.hazmat.primitives.serialization.NoEncryption",
    "cryptography.hazmat.primitives.serialization.PrivateFormat",
}


def unlisted(modules: dict[str, ast.Module]) -> list[str]:
    using = {
        module
        for module, tree in modules.items()
        if any(within(name, LIBRARIES) for name in imports(tree))
    }
    return sorted(using - LISTED)


def unreviewed(modules: dict[str, ast.Module]) -> list[str]:
    used = {name for tree in modules.values() for name in imports(tree)}
    return sorted({name for name in used if within(name, frozenset({"cryptography"}))} - REVIEWED)


def test_every_key_is_on_the_page() -> None:
    keys = {
        variable
        for _, variable, field in variables()
        if variable.endswith("_KEY") and "SecretStr" in str(field.annotation)
    }
    assert len(keys) >= 6
    assert keys <= LISTED


def test_every_use_of_cryptography_is_on_the_page() -> None:
    assert unlisted(MODULES) == []
    assert unreviewed(MODULES) == []
    named = {name for name in LISTED if name.islower()}
    assert named - MODULES.keys() == set(), "no such module any more"


def test_a_new_use_is_noticed() -> None:
    weak = "from cryptography.hazmat.primitives.ciphers import modes"
    new = {"contract.new": ast.parse(weak)}
    assert unlisted(MODULES | new) == ["contract.new"]
    assert unreviewed(MODULES | new) == ["cryptography.hazmat.primitives.ciphers.modes"]
    assert unlisted({"contract.new": ast.parse("import json")}) == []
