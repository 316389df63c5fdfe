from __future__ import annotations

import pytest

from kizuna.core.errors import Invalid
from kizuna.templates.definition import read


def test_every_wrong_field_is_named() -> None:
    with pytest.raises(Invalid) as error:
        read({"channel": "", "subject": 5, "format": "word", "locales": {"ja": {"body": 1}, "en": "x"}})
    pointers = [wrong.pointer for wrong in error.value.errors]
    assert pointers == ["/channel", "/format", "/subject", "/body", "/locales/ja/body", "/locales/en"]


def test_html_mail_is_the_default() -> None:
    template = read({"body": "x"})
    assert (template.channel, template.format, template.escapes) == ("email", "liquid+html", True)
