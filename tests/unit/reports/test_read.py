from __future__ import annotations

import time

import pytest

from kizuna.reports.mail import MOST_BYTES
from kizuna.reports.read import read

DAEMON = "From: MAILER-DAEMON@mx.example\nTo: news@shop.example\nSubject: failure notice\n"
DSN = """From: MAILER-DAEMON@mx.example
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b

It did not work.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; ada@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.com>: User unknown

Final-Recipient: rfc822; grace@example.com
Action: delayed
Status: 4.2.2
Diagnostic-Code: smtp; 452 4.2.2 Mailbox full

Final-Recipient: rfc822; joan@example.com
Action: delivered
Status: 2.0.0
--b
Content-Type: text/rfc822-headers

Message-ID: <msg_00112233445566778899aabbccddeeff@shop.example>
To: ada@example.com
--b--
"""


def test_a_delivery_status_tells_of_each_recipient() -> None:
    report = read(DSN.encode())
    assert [(r.address, r.kind, r.hardness, r.reason, r.status, r.reply_code) for r in report.results] == [
        ("ada@example.com", "bounce", "hard", "unknown_user", "5.1.1", "550"),
        ("grace@example.com", "delayed", "soft", "mailbox_full", "4.2.2", "452"),
        ("joan@example.com", "delivered", None, None, "2.0.0", None),
    ]
    assert report.about == ["msg_00112233445566778899aabbccddeeff@shop.example"]


def test_line_ends_do_not_matter() -> None:
    assert read(DSN.replace("\n", "\r\n").encode()) == read(DSN.encode())


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        ("abuse", "complaint", "abuse"),
        ("fraud", "complaint", "fraud"),
        ("opt-out", "complaint", "opt_out"),
        ("not-spam", "other", "not_spam"),
        ("auth-failure", "other", "authentication_failure"),
        ("new-thing", "other", "other_feedback"),
    ],
)
def test_feedback_is_a_complaint_where_a_person_complains(said: str, kind: str, reason: str) -> None:
    mail = (
        "From: fbl@isp.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
        "--b\n\nA complaint.\n--b\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: {said}\nOriginal-Rcpt-To: <ada@example.com>\n--b--\n"
    )
    (result,) = read(mail.encode()).results
    assert (result.address, result.kind, result.reason, result.hardness) == ("ada@example.com", kind, reason, None)


@pytest.mark.parametrize(
    "header", ["Auto-Submitted: auto-replied (vacation)", "Precedence: auto_reply", "X-Autoreply: yes"]
)
def test_a_vacation_note_is_no_bounce_whatever_it_says(header: str) -> None:
    mail = (
        f"From: Ada <ada@example.com>\nSubject: Re: News\n{header}\n\n550 5.1.1 user unknown, I no longer work here\n"
    )
    (result,) = read(mail.encode()).results
    assert (result.address, result.kind, result.hardness) == ("ada@example.com", "auto_reply", None)


@pytest.mark.parametrize(
    "sender",
    [
        "Ada <ada@example.com>",
        "Postmaster <postmaster@example.com>",
        "Mail Administrator <it@example.com>",
        "Mail System <office@example.com>",
    ],
)
@pytest.mark.parametrize(
    "subject", ["Re: News", "I am away", "Automatic reply: News", "Re: Delivery status of order 5"]
)
@pytest.mark.parametrize(
    "words",
    [
        "This mailbox is disabled. Write to new@example.com instead.",
        "I no longer work here. Please send your message to new@example.com.",
        "We are closed until Monday. For anything urgent: new@example.com\n\n> To: ada@example.com\n> Hello",
    ],
)
def test_a_vacation_note_is_no_bounce_whoever_is_called_postmaster(sender: str, subject: str, words: str) -> None:
    mail = f"From: {sender}\nSubject: {subject}\nAuto-Submitted: auto-replied\n\n{words}\n"
    assert [result.kind for result in read(mail.encode()).results] == ["auto_reply"]


def test_a_mailer_that_says_it_answers_by_itself_is_believed() -> None:
    mail = DAEMON.replace("failure notice", "There was an error") + (
        "Auto-Submitted: auto-replied\n\nThe following recipients returned permanent errors:\n<ada@example.com>\n"
    )
    assert [(each.kind, each.address) for each in read(mail.encode()).results] == [("bounce", "ada@example.com")]


def test_words_for_people_are_read_and_the_mail_that_comes_back_is_not() -> None:
    mail = DAEMON + (
        "\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<ada@example.com>:\n"
        "192.0.2.1 does not like recipient.\nRemote host said: 550 No such user\n\n"
        "--- Below this line is a copy of the message.\n\nMessage-ID: <msg_1@shop.example>\nTo: ada@example.com\n\n"
        "mailbox full <grace@example.com>\n"
    )
    report = read(mail.encode())
    (result,) = report.results
    assert (result.address, result.reason, result.reply_code) == ("ada@example.com", "unknown_user", "550")
    assert report.about == ["msg_1@shop.example"]


def test_user_unknown_is_not_believed_where_a_filter_may_say_it() -> None:
    words = "\nDelivery to the following recipients failed.\n\n<ada@carrier.example>: 550 Unknown user\n"
    (result,) = read((DAEMON + words).encode()).results
    assert (result.hardness, result.reason) == ("soft", "refused_by_recipient")


def test_a_mail_of_a_customer_reports_nothing() -> None:
    (result,) = read(b"From: Ada <ada@example.com>\nSubject: Hello\n\nWhen do you open?\n").results
    assert (result.kind, result.address) == ("other", None)


HOSTILE = {
    "nested": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth) for depth in range(20_000)
    ),
    "one boundary": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 200_000,
    "recipients": b"Content-Type: multipart/report; boundary=b\n\n--b\n\n"
    + b"ada@example.com " * 20_000
    + b"\n--b\nContent-Type: message/delivery-status\n\n"
    + b"Final-Recipient: rfc822; ada@example.com\nAction: failed\n\n" * 10_000,
    "addresses": DAEMON.encode() + b"\nfollowing addresses failed:\n" + b"<a@b.example>: 550 no\n" * 40_000,
    "at signs": DAEMON.encode() + b"\n" + b"a@" * 400_000,
    "tags": DAEMON.encode() + b"Content-Type: text/html\n\n" + b"<" * 900_000,
    "words": DAEMON.encode().replace(b"failure", b"deliver" * 100_000) + b"\nx",
    "encoded words": b"Subject: " + b"=?utf-8?q?" * 90_000 + b"\n\nx",
    "charset": b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" * 400_000,
    "json": DAEMON.encode() + b'\n{"notificationType":' + b"[" * 900_000,
    "noise": bytes(range(256)) * 4_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_mail_made_to_be_slow_is_read_in_a_moment(name: str) -> None:
    started = time.process_time()
    assert read(HOSTILE[name][:MOST_BYTES]).results
    assert time.process_time() - started < 2


def test_whatever_is_cut_anywhere_is_read() -> None:
    raw = DSN.encode()
    for end in range(0, len(raw), 7):
        assert read(raw[:end]).results
