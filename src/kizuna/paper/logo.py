"""A logo as a template brings it: a PNG or JPEG in a `data:` address, looked at before it is taken, drawn anew."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from functools import lru_cache
from typing import TYPE_CHECKING

from kizuna.core.errors import Invalid

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES = 256 << 10
MOST_PIXELS = 4_000_000
FORMATS = ("PNG", "JPEG")
_DATA = re.compile(r"data:image/(?:png|jpeg);base64,([A-Za-z0-9+/]+={0,2})\Z")


def raw_of(said: str) -> bytes:
    """The file in a `data:` address; raises `Invalid`. Whether it is a picture is another question."""
    if len(said) > MOST_BYTES * 4 // 3 + 100:
        raise Invalid(f"a logo has at most {MOST_BYTES >> 10} kB", code="too_large")
    found = _DATA.match(said)
    if found is None or len(found[1]) % 4:
        raise Invalid("write data:image/png;base64,... or data:image/jpeg;base64,...", code="invalid_logo")
    return b64decode(found[1])


@lru_cache(maxsize=4)
def picture(said: str) -> Image:
    """Its pixels on white, without whatever else the file holds; raises `Invalid`."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(raw_of(said)), formats=FORMATS) as read:
            if read.width * read.height > MOST_PIXELS:
                raise Invalid(f"a logo has at most {MOST_PIXELS // 1_000_000} million pixels", code="too_large")
            drawn = read.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Invalid("this is no PNG or JPEG that can be read whole", code="invalid_logo") from None
    page = Image.new("RGB", drawn.size, "white")
    page.paste(drawn, mask=drawn.getchannel("A"))
    return page
