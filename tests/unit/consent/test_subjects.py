from __future__ import annotations

import pytest

from kizuna.channels import all_channels, consent_subjects
from kizuna.consent.subjects import Subjects
from kizuna.core.errors import Unprocessable


def test_a_misspelt_channel_is_refused_with_the_names() -> None:
    with pytest.raises(Unprocessable) as refused:
        Subjects(("email", "sms")).check("emial")
    assert (refused.value.code, refused.value.errors[0].message) == ("unknown_channel", "one of email, sms")
    Subjects(("email", "sms")).check("sms")
    Subjects().check("emial")


def test_every_channel_is_one_and_whether_opens_are_followed() -> None:
    assert set(consent_subjects().names) == {*all_channels(), "tracking"}
