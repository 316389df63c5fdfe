"""Names of files: every definition's name as a file that any file system keeps, and back."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from urllib.parse import quote, unquote

SUFFIX, DRAFT = ".yaml", ".draft"
SUFFIXES = (".yaml", ".yml")
LONGEST = 200  # bytes of a name before the suffix; file systems take 255


def stem_of(name: str) -> str:
    """`%` for what a file's name should not hold; letters of every script stay."""
    return "".join(
        sign if sign.isalnum() or sign in "_-" else quote(sign, safe="").replace(".", "%2E") for sign in name
    )


def file_names(names: Iterable[str]) -> dict[str, tuple[str, bool]]:
    """Each name's stem, and whether it says the name; else the document must, as `name`."""
    listed = sorted(names)
    stems = [stem_of(name) for name in listed]
    folded = [stem.casefold() for stem in stems]  # where Vip.yaml and vip.yaml are one file
    found: dict[str, tuple[str, bool]] = {}
    for name, stem in zip(listed, stems, strict=True):
        says = len(stem.encode()) <= LONGEST and folded.count(stem.casefold()) == 1
        mark = blake2b(name.encode(), digest_size=6).hexdigest()
        found[name] = (stem, True) if says else (f"{_shortened(stem)}~{mark}", False)
    return found


def _shortened(stem: str) -> str:
    return stem.encode()[:100].decode(errors="ignore").rstrip("%")


def read_name(file: str) -> tuple[str, bool] | None:
    """The name that a file says, and whether it is a draft's; None for a file that is no document."""
    suffix = next((each for each in SUFFIXES if file.endswith(each)), None)
    if suffix is None or file.startswith("."):
        return None
    stem = file.removesuffix(suffix)
    return unquote(stem.removesuffix(DRAFT)), stem.endswith(DRAFT)
