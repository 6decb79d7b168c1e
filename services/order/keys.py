"""What a customer's key is: 256 random bits behind a word that says where they are good."""

import hashlib
import secrets

KEY_BYTES = 32
DEVELOPMENT = "dev_"
"""How the keys begin that `make up` draws; they open nothing outside development."""
ISSUED = "key_"
"""How those begin that an operator issues."""


def draw(prefix: str) -> str:
    """Draw a key that begins with `prefix`."""
    return f"{prefix}{secrets.token_urlsafe(KEY_BYTES)}"


def hash_of(key: str) -> bytes:
    """Hash a key. Nobody can guess 256 random bits, so it needs neither salt nor a slow hash."""
    return hashlib.sha256(key.encode()).digest()
