from __future__ import annotations

import asyncio

from kizuna.accounts.secrets import password_hash, password_matches


def test_a_password_matches_its_hash_only() -> None:
    async def work() -> None:
        kept = await password_hash("correct horse battery staple")
        assert kept.startswith("$argon2id$")
        assert await password_matches(kept, "correct horse battery staple")
        assert not await password_matches(kept, "correct horse battery stapl")
        assert not await password_matches(None, "a password that nobody has")
        assert not await password_matches("not a hash", "x")

    asyncio.run(work())
