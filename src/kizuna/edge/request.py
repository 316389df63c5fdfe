"""How a body is read: within its limit and time, strictly, with exact decimals."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request
from litestar.datastructures import FormMultiDict
from litestar.exceptions import ClientException

from kizuna.core import exact_json
from kizuna.core.errors import Invalid

BODY_LIMIT = 4 * 1024 * 1024
BODY_SECONDS = 30

_UNREAD = object()


class StrictRequest(Request[Any, Any, Any]):
    """Gives the `data` of every handler through the strict decoder, whatever the content type says."""

    async def body(self) -> bytes:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await super().body()
        except TimeoutError:
            raise ClientException("the body did not arrive in time", status_code=408) from None

    async def json(self) -> Any:
        kept = self.scope["state"].get("kizuna_json", _UNREAD)
        if kept is _UNREAD:
            kept = self.scope["state"]["kizuna_json"] = exact_json.decode_checked(await self.body())
        return kept

    async def form(self) -> FormMultiDict:
        try:
            form = await super().form()
        except ValueError:  # parts that are no UTF-8, as the framework finds them
            raise Invalid("the form cannot be read; send it as UTF-8", code="invalid_form") from None
        for name, value in form.multi_items():
            exact_json.check([name, value])  # as strict as JSON: what no database keeps would stop its customer's log
        return form
