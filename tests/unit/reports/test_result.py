from __future__ import annotations

from pathlib import Path

import pytest

from kizuna.reports.result import BOUNCE, BOUNCE_REASONS, DELAYED, FEEDBACK, OF_NO_ADDRESS, OF_THE_MAILBOX, Result

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "bounces.md"


@pytest.mark.parametrize("reason", [*BOUNCE_REASONS, *FEEDBACK])
def test_each_reason_is_in_the_guide(reason: str) -> None:
    assert f"`{reason}`" in GUIDE.read_text()


@pytest.mark.parametrize("reason", BOUNCE_REASONS)
def test_only_what_is_about_the_address_counts_against_it(reason: str) -> None:
    bounced = Result("ada@example.com", BOUNCE, reason)
    assert (bounced.hardness == "hard") is (reason in OF_NO_ADDRESS)
    assert bounced.counts_against_address is (reason in (*OF_NO_ADDRESS, *OF_THE_MAILBOX))
    delayed = Result("ada@example.com", DELAYED, reason)
    assert (delayed.hardness, delayed.counts_against_address) == ("soft", False)
