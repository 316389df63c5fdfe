"""The header that shows a credential, opened only for a host it is for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kizuna.core.errors import Invalid
from kizuna.fetches.credential import Credential, is_for
from kizuna.fetches.request import Request
from kizuna.providers import vault

Sealed = tuple[list[str], str]  # hosts, sealed


def authorization(request: Request, found: Sealed | None, secrets: Sequence[bytes], workspace: int) -> str:
    """Empty where the request names none; raises `Invalid` where it may not be shown."""
    if not request.credential:
        return ""
    if found is None:
        raise Invalid(f"no credential {request.credential!r} in this workspace")
    hosts, sealed = found
    if not is_for(request.url, hosts):
        raise Invalid(f"credential {request.credential!r} is not for this host")
    values = vault.unseal_any(secrets, workspace, sealed)
    return msgspec.convert({"hosts": hosts, **values}, Credential).authorization
