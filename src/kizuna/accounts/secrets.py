"""Tokens are kept as a hash, passwords as argon2id; neither can be read back."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

# 19 MiB and two passes, the OWASP minimum: each hash in flight holds that memory, so only two run at once.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_two_threads = ThreadPoolExecutor(2, thread_name_prefix="password")


def token_hash(token: str) -> bytes:
    """Tokens are 256 random bits, so a plain hash is enough."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


async def password_hash(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_two_threads, _hasher.hash, password)


async def password_matches(kept: str | None, password: str) -> bool:
    """Takes the same time whether or not there is a password to compare with."""
    loop = asyncio.get_running_loop()
    matches = await loop.run_in_executor(_two_threads, _verify, kept, password)
    return matches and kept is not None


def _verify(kept: str | None, password: str) -> bool:
    try:
        return _hasher.verify(kept or _nobodys(), password)
    except (Argon2Error, InvalidHashError):
        return False


@lru_cache(1)
def _nobodys() -> str:
    return _hasher.hash("a password that nobody has")
