from __future__ import annotations

import pytest

from kizuna.core.errors import Invalid
from kizuna.templates.nesting import check_nesting


@pytest.mark.parametrize(
    "unit",
    [
        "<div>", "<b>", "<b><p>", "<b><!-- </b> -->", "<b><title></b></title>", '<b x="></b>">', '<b x"y="> </b>">',
        "<b></ b>", "<b><!---!></b>-->", "<svg><b><style></b>", "<b></x>", "<table><tr><td>", "<li><div><li>",
    ],
)  # fmt: skip
def test_closing_tags_that_close_nothing_do_not_hide_depth(unit: str) -> None:
    if unit == "<b></ b>" or "!---!" in unit:
        unit = unit.replace("</b>-->", "")
    with pytest.raises(Invalid) as error:
        check_nesting(unit * 9_000)
    assert error.value.code == "template_limit"


def test_long_mails_of_usual_html_are_not_deep() -> None:
    row = "<tr><td><p>a<p>b<br><img src=x><ul><li>1<li>2</ul><b><i>c</i></b></td></tr>"
    assert check_nesting("<table>" + row * 1_000 + "</table>") > 10_000
    assert check_nesting("<div>" * 90 + "</div>" * 90) == 180
