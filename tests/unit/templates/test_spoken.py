from __future__ import annotations

from kizuna.templates.definition import read
from kizuna.templates.spoken import heard, written
from kizuna.voice.voice import read as read_voice


def test_what_is_written_is_without_liquid_and_marks() -> None:
    hidden = "{% comment %}cheap{% endcomment %}<style>p{}</style>"
    source = hidden + "<p>Hi {{ name | default: 'cheap' }}</p>{% if x %}y{% endif %}"
    assert written(source, is_html=True).split() == ["Hi", "y"]


def test_each_wording_is_heard_in_its_own_language() -> None:
    template = read({
        "subject": "Cheap tea", "body": "<p>Tea</p>", "locales": {"ja": {"subject": "お茶", "body": "<p>激安</p>"}},
    })  # fmt: skip
    voice = read_voice({"avoid": [{"word": "cheap"}], "locales": {"ja": {"avoid": [{"word": "激安"}]}}})
    assert heard(voice, template) == ["brand voice: avoid 'cheap'", "brand voice: avoid '激安' (ja)"]
