from __future__ import annotations

import pytest

from kizuna.core.errors import Invalid
from kizuna.providers.vault import seal, secrets_of, unseal, unseal_any


def test_what_is_sealed_can_be_unsealed_here_only() -> None:
    sealed = seal(b"secret", 1, {"password": "canary"})
    assert "canary" not in sealed
    assert unseal(b"secret", 1, sealed) == {"password": "canary"}
    for secret, workspace in ((b"other", 1), (b"secret", 2)):
        with pytest.raises(Invalid):
            unseal(secret, workspace, sealed)


def test_secrets_sealed_before_a_new_secret_was_set_still_open() -> None:
    old = secrets_of(b"installed", "")
    sealed = seal(old[-1], 1, {"password": "x"})
    assert unseal_any(secrets_of(b"installed", "configured"), 1, sealed) == {"password": "x"}
