from __future__ import annotations

from kizuna.providers.reports_url import reports_url, token, workspace_of

OLD, NEW = b"installed", b"configured"


def test_an_address_leads_to_its_workspace_and_provider_only() -> None:
    assert workspace_of([OLD], token([OLD], 7, "crm"), "crm") == 7
    assert workspace_of([OLD], token([OLD], 7, "crm"), "mail") is None
    assert workspace_of([b"other"], token([OLD], 7, "crm"), "crm") is None


def test_no_flipped_bit_is_believed() -> None:
    good = token([OLD], 7, "crm")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place in range(len(good)):
        for letter in letters:
            if letter != good[place]:
                assert workspace_of([OLD], good[:place] + letter + good[place + 1 :], "crm") is None
    for bad in ("", good[:-1], good + "A", good + "\n", "é" * 32):
        assert workspace_of([OLD], bad, "crm") is None


def test_addresses_made_before_a_secret_was_configured_stay_good() -> None:
    assert workspace_of([OLD, NEW], token([OLD], 7, "crm"), "crm") == 7
    assert workspace_of([OLD, NEW], token([OLD, NEW], 7, "crm"), "crm") == 7
    assert token([OLD], 7, "crm") != token([OLD, NEW], 7, "crm")


def test_it_stands_under_the_public_address() -> None:
    assert reports_url("https://k.example/", [OLD], 7, "a b/ü").startswith("https://k.example/reports/a%20b%2F%C3%BC/")
