from __future__ import annotations

from typing import Any

import pytest

from kizuna.reports import amazon


@pytest.mark.parametrize(
    "body", [None, [], "x", {}, {"notificationType": "Bounce"}, {"notificationType": "Bounce", "bounce": [1]},
             {"notificationType": "Complaint", "complaint": {"complainedRecipients": "x"}}]
)  # fmt: skip
def test_a_body_of_no_shape_reports_nothing(body: Any) -> None:
    assert [each.kind for each in amazon.read(body).results] == ["other"]


def test_the_mail_it_is_about_is_named_by_its_header() -> None:
    mail = {"headers": [{"name": "Message-ID", "value": "<msg_1@shop.example>"}]}
    assert amazon.read({"notificationType": "Delivery", "mail": mail}).about == ["msg_1@shop.example"]
