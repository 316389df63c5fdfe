"""A backup file is whole and unchanged, or it is refused in one line."""

from __future__ import annotations

import gzip
import io
import random
from pathlib import Path

import pytest

from kizuna.core.errors import Invalid
from kizuna.runtime.backup.archive import FORMAT, Held, Manifest, Writer, read, verify

BODIES = {"tables/log/000000": random.Random(1).randbytes(3_000_000), "lake/1/events/a": b"", "settings/x": b"ab\n"}


def a_manifest(schema: str = "0001_pre", form: int = FORMAT) -> Manifest:
    return Manifest(
        format=form, kizuna="1", schema=schema, taken_at=1, tables={"log": ["a"]}, sequences={"position": (7, True)},
        lakes=[Held(1, {3: 9})], has_secret=False,
    )  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / "絆 backup"
    with path.open("wb") as out:
        writer = Writer(out)
        for name, body in BODIES.items():
            writer.add(name, body)
        writer.close(a_manifest())
    return path


def test_what_was_written_is_read_again(made: Path) -> None:
    manifest = verify(made)
    assert manifest.lakes == [Held(1, {3: 9})]
    assert {name: b"".join(body) for name, body in read(made, manifest)} == BODIES


def test_it_can_be_written_to_what_cannot_be_sought(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.taken = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, piece: object) -> int:
            self.taken += bytes(piece)  # type: ignore[call-overload]
            return len(piece)  # type: ignore[arg-type]

        def seekable(self) -> bool:
            return False

    pipe = Pipe()
    writer = Writer(pipe)  # type: ignore[arg-type]
    writer.add("a", b"1")
    writer.close(a_manifest())
    path = tmp_path / "file"
    path.write_bytes(pipe.taken)
    assert [member.name for member in verify(path).members] == ["a"]


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.3, 0.999, 0.999999])
def test_a_file_cut_short_is_refused(made: Path, share: float) -> None:
    body = made.read_bytes()
    made.write_bytes(body[: min(int(len(body) * share), len(body) - 1)])
    with pytest.raises(Invalid) as refused:
        verify(made)
    assert "\n" not in str(refused.value)


def test_a_changed_byte_is_refused_wherever_it_is(made: Path) -> None:
    body = made.read_bytes()
    chance = random.Random(7)
    for place in [10, len(body) - 1, len(body) - 6, *(chance.randrange(10, len(body)) for _ in range(20))]:
        changed = bytearray(body)
        changed[place] ^= 0x10
        made.write_bytes(changed)
        with pytest.raises(Invalid):
            verify(made)


def test_bytes_changed_inside_and_packed_again_are_refused(made: Path) -> None:
    plain = gzip.decompress(made.read_bytes())
    assert b"ab\n" in plain
    made.write_bytes(gzip.compress(plain.replace(b"ab\n", b"ac\n"), 1))
    with pytest.raises(Invalid, match="does not hold what it says"):
        verify(made)


def test_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other"
    for body in (b"", b"hello", gzip.compress(b"hello")):
        path.write_bytes(body)
        with pytest.raises(Invalid):
            verify(path)
    with pytest.raises(Invalid, match="cannot be read"):
        verify(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["/etc/passwd", "lake/../../x", "lake//x"])
def test_a_member_that_would_leave_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    with path.open("wb") as out:
        writer = Writer(out)
        writer.add(name, b"1")
        writer.close(a_manifest())
    with pytest.raises(Invalid, match="no backup of ours"):
        verify(path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as out:
        Writer(out).close(a_manifest(form=99))
    with pytest.raises(Invalid, match="format 99"):
        verify(path)
