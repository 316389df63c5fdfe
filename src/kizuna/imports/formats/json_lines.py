"""JSON lines: one object a line; a column may be a dotted path into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kizuna.core import exact_json
from kizuna.core.errors import Invalid
from kizuna.imports.formats import LONGEST, Broken, Looked, Row, skip_line


class JsonLines:
    def __init__(self, looked: Looked) -> None:
        self.columns: list[str] = []
        self.file = looked.path.open("rb")

    def rows(self) -> Iterator[Row | Broken]:
        line = 0
        while raw := self.file.readline(LONGEST + 1):
            line += 1
            if len(raw) > LONGEST:
                if not raw.endswith(b"\n"):
                    skip_line(self.file, b"")
                yield Broken(line, "too_long", f"longer than {LONGEST >> 20} MiB", raw[:1000].decode(errors="replace"))
                continue
            if line == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if raw.strip():
                yield self._row(line, raw)

    def _row(self, line: int, raw: bytes) -> Row | Broken:
        try:
            value = exact_json.decode_checked(raw)
            if not isinstance(value, dict):
                raise Invalid("not an object", code="not_an_object")
        except Invalid as error:
            return Broken(line, error.code, str(error), raw[:1000].decode(errors="replace").rstrip("\r\n"))
        return Row(line, _Paths(value))

    def done(self) -> int:
        return self.file.tell()

    def close(self) -> None:
        self.file.close()


class _Paths(dict[str, Any]):
    """Finds `a.b` as a key, else as b inside a."""

    def __missing__(self, name: str) -> Any:
        value: Any = self
        for part in name.split("."):
            if not isinstance(value, Mapping) or not dict.__contains__(value, part):  # type: ignore[arg-type]
                return None
            value = dict.__getitem__(value, part)  # type: ignore[arg-type]
        return value
