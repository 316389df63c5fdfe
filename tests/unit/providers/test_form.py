"""Forms of providers, from the settings they take."""

from __future__ import annotations

import pytest

from kizuna.providers import all_providers
from kizuna.providers.form import Field, forms


def test_every_kind_has_a_form() -> None:
    assert [each.kind for each in forms()] == list(all_providers())


@pytest.mark.parametrize(
    "field",
    [
        Field("host", "text", is_required=True, is_secret=False, default=None, choices=[]),
        Field("from", "text", is_required=True, is_secret=False, default=None, choices=[]),
        Field("port", "whole_number", is_required=False, is_secret=False, default=587, choices=[]),
        Field("timeout", "number", is_required=False, is_secret=False, default=30, choices=[]),
        Field("password", "text", is_required=False, is_secret=True, default="", choices=[]),
        Field("dkim", "json", is_required=False, is_secret=True, default=None, choices=[]),
        Field(
            "tls", "choice", is_required=False, is_secret=False, default="starttls",
            choices=["none", "starttls", "tls"],
        ),
    ],
    ids=lambda field: field.name,
)  # fmt: skip
def test_settings_become_fields(field: Field) -> None:
    (smtp,) = [each for each in forms() if each.kind == "smtp"]
    assert (smtp.channel, smtp.is_local, smtp.reports) == ("email", False, False)
    assert field in smtp.fields


def test_kinds_say_whether_they_report_and_what_they_carry() -> None:
    found = {each.kind: each for each in forms()}
    assert found["postmark"].reports
    assert found["outbox"].channel is None
    assert found["call_list"].is_local
