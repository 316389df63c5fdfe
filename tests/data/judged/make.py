"""Writes what the providers' own libraries say: `signatures.json`, `reports.json`, `requests.json`. See SOURCE.md."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import string
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlparse

HERE = Path(__file__).parent
EACH = 12
LETTERS = string.ascii_letters + string.digits + " .,;:!?&=%+-_/\\\"'<>@#|{}()~" + "äöß秋の新作😀"
dice = random.Random(8)
NOW = int(time.time())

Case = dict[str, Any]


def main() -> None:
    write("signatures.json", ["botocore"], aws_signatures())
    judges = ["twilio", "sendgrid", "standardwebhooks", "svix", "line-bot-sdk", "vonage-jwt", "PyJWT"]
    reports = [twilio_reports, sendgrid_reports, webhook_reports, resend_reports, line_reports, vonage_reports]
    write("reports.json", judges, (case for make in reports for case in make()))
    makers = ["twilio", "botocore", "sendgrid", "vonage-messages", "django-anymail"]
    requests = [twilio_requests, sns_requests, sendgrid_requests, vonage_requests, mail_requests]
    write("requests.json", makers, (case for make in requests for case in make()))


def write(name: str, made_with: list[str], cases: Iterator[Case]) -> None:
    whole = {"made_with": {each: version(each) for each in made_with}, "cases": list(cases)}
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in whole["cases"])
    head = json.dumps(whole["made_with"])
    (HERE / name).write_text(f'{{"made_with": {head},\n"cases": [\n{lines}\n]}}\n')


def words(most: int = 40) -> str:
    return "".join(dice.choice(LETTERS) for _ in range(dice.randint(1, most))).strip() or "x"


# signatures of requests ----------------------------------------------------------------------------------------------


def aws_signatures() -> Iterator[Case]:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    for service, path in [("ses", "/v2/email/outbound-emails"), ("sns", "/")] * (EACH // 2):
        key, hidden = "EXAMPLE" + "".join(dice.choices(string.ascii_uppercase, k=9)), words()
        region, body = dice.choice(["eu-west-1", "ap-northeast-1", "us-gov-west-1"]), words(300)
        at = dice.randrange(1_500_000_000, 2_000_000_000)
        url = f"https://{service}.{region}.amazonaws.com{path}"
        request = AWSRequest("POST", url, {"Content-Type": "application/json"}, body.encode())
        request.context["timestamp"] = request.headers["X-Amz-Date"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
        signer = SigV4Auth(Credentials(key, hidden), service, region)
        signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        yield {
            "key": key, "secret": hidden, "region": region, "service": service, "url": url, "body": body, "at": at,
            "signature": signature,
        }  # fmt: skip


# reports, whole and altered, and whether they are believed -----------------------------------------------------------


def twilio_reports() -> Iterator[Case]:
    from twilio.request_validator import RequestValidator, add_port, remove_port

    for number in range(EACH):
        token, port = words(32), dice.choice(["", ":443", ":8443"])
        url = f"https://k.example{port}/reports/text/t?message=msg_{number}"
        names = [dice.choice(["To", "From", "Body", "ErrorCode"]) for _ in range(dice.randint(0, 6))]
        pairs = [(name, dice.choice([words(), ""])) for name in names]
        judge = RequestValidator(token)
        seen_by_them = dice.choice([url, add_port(urlparse(url)), remove_port(urlparse(url))])
        signature = judge.compute_signature(seen_by_them, Pairs(pairs))
        alter = dice.choice(["nothing", "nothing", "signature", "address", "fields"])
        if alter == "signature":
            signature = signature[:-2] + "A="
        elif alter == "address":
            url = url.replace("msg_", "msg_9")
        elif alter == "fields":
            pairs = [*pairs, ("More", "1")]
        yield {
            "kind": "twilio", "settings": {"account": "AC1", "token": token, "from": "+1"}, "url": url, "now": NOW,
            "headers": {"x-twilio-signature": signature}, "body": urlencode(pairs),
            "believed": judge.validate(url, Pairs(pairs), signature),
        }  # fmt: skip


class Pairs(dict[str, str]):
    """Fields of a form, some of them more than once, as that library reads them."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs

    def getall(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


def sendgrid_reports() -> Iterator[Case]:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from sendgrid.helpers.eventwebhook import EventWebhook

    key = ec.generate_private_key(ec.SECP256R1())
    public = base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    judge = EventWebhook(public)
    for _ in range(EACH):
        body, stamp = json.dumps([{"event": words()}], ensure_ascii=dice.random() < 0.5), str(NOW)
        signature = base64.b64encode(key.sign((stamp + body).encode(), ec.ECDSA(hashes.SHA256()))).decode()
        alter = dice.choice(["nothing", "nothing", "body", "time"])
        body, stamp = body + " " * (alter == "body"), str(NOW - (alter == "time"))
        yield {
            "kind": "sendgrid", "settings": {"key": "k", "from": "a@b.example", "verification_key": public}, "now": NOW,
            "headers": {
                "x-twilio-email-event-webhook-signature": signature, "x-twilio-email-event-webhook-timestamp": stamp,
            },
            "body": body, "believed": judge.verify_signature(body, signature, stamp),
        }  # fmt: skip


def webhook_reports() -> Iterator[Case]:
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError

    for case in _standard("webhook", Webhook, WebhookVerificationError):
        yield {"kind": "webhook", "settings": {"url": "https://a.example", "secret": case.pop("secret")}, **case}


def resend_reports() -> Iterator[Case]:
    from svix.webhooks import Webhook, WebhookVerificationError

    for case in _standard("svix", Webhook, WebhookVerificationError):
        settings = {"key": "k", "from": "a@b.example", "signing_secret": case.pop("secret")}
        yield {"kind": "resend", "settings": settings, **case}


def _standard(prefix: str, judge_of: Callable[[str], Any], refusal: type[Exception]) -> Iterator[Case]:
    for number in range(EACH):
        key = base64.b64encode(bytes(dice.randrange(256) for _ in range(dice.choice([24, 32, 64])))).decode()
        stamp = NOW + dice.choice([0, 0, 0, -250, 250, -400, 400])
        name, body, judge = f"msg_{number}", json.dumps({"a": words()}, ensure_ascii=False), judge_of(key)
        signature = judge.sign(name, datetime.fromtimestamp(stamp, UTC), body)
        alter = dice.choice(["nothing", "nothing", "more", "body", "id", "version"])
        signature = {"more": f"v1,AAAA {signature} v2,zz", "version": signature.replace("v1,", "v2,")}.get(
            alter, signature
        )
        body, name = body + " " * (alter == "body"), name + "x" * (alter == "id")
        headers = {f"{prefix}-id": name, f"{prefix}-timestamp": str(stamp), f"{prefix}-signature": signature}
        try:
            judge.verify(body, headers)
            believed = True
        except refusal:
            believed = False
        yield {"secret": key, "now": NOW, "headers": headers, "body": body, "believed": believed}


def line_reports() -> Iterator[Case]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from linebot.v3.webhook import SignatureValidator

    for _ in range(EACH):
        key, body = words(32), json.dumps({"destination": "U0", "events": []}, ensure_ascii=False) + words()
        signature = base64.b64encode(hmac.digest(key.encode(), body.encode(), "sha256")).decode()
        if dice.random() < 0.4:
            body += " "
        yield {
            "kind": "line", "settings": {"token": "t", "channel_secret": key}, "now": NOW, "body": body,
            "headers": {"x-line-signature": signature}, "believed": SignatureValidator(key).validate(body, signature),
        }  # fmt: skip


def vonage_reports() -> Iterator[Case]:
    import jwt
    from vonage_jwt import verify_signature

    for _ in range(EACH):
        key, body = words() + "0" * 64, json.dumps({"a": words()})
        claims = {"iat": NOW, "iss": "Vonage", "payload_hash": hashlib.sha256(body.encode()).hexdigest()}
        algorithm, signer = dice.choice([("HS256", key), ("HS256", key), ("HS256", key + "x"), ("HS512", key)])
        token = jwt.encode(claims, signer, algorithm)
        try:
            believed = verify_signature(token, key)
        except Exception:  # it raises for what it cannot even read
            believed = False
        yield {
            "kind": "vonage", "settings": {"key": "k", "secret": "s", "from": "Shop", "signature_secret": key},
            "now": NOW, "headers": {"authorization": f"Bearer {token}"}, "body": body, "believed": believed,
        }  # fmt: skip


# requests as their own clients make them -----------------------------------------------------------------------------


def twilio_requests() -> Iterator[Case]:
    from twilio.http.response import Response
    from twilio.rest import Client

    class Kept:
        def request(self, method: str, url: str, data: Any = None, **_: Any) -> Response:
            self.url, self.data = url, data
            return Response(201, "{}")

    account = "AC" + "0" * 32
    for number in range(EACH // 2):
        kept, said, sender = Kept(), words(300), dice.choice(["+15005550006", "Shop", "MG" + "1" * 32])
        named = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        back = f"https://k.example/reports/text/t?message=msg_{number}"
        client = Client(account, "t", http_client=kept)  # type: ignore[arg-type]
        client.messages.create(to="+819012345678", body=said, status_callback=back, **named)
        yield {
            "kind": "twilio", "url": kept.url, "form": dict(kept.data),
            "settings": {
                "account": account, "token": "t", "from": sender, "status_callback": back.partition("?")[0],
            },
            "delivery": {"message": f"msg_{number}", "address": "+819012345678", "text": said},
        }  # fmt: skip


def sns_requests() -> Iterator[Case]:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.serialize import create_serializer

    publish = ServiceModel(Loader().load_service_model("sns", "service-2")).operation_model("Publish")
    for sender in ["", "Shop"] * (EACH // 4):
        said = words(300)
        named = {"AWS.SNS.SMS.SMSType": "Promotional", **({"AWS.SNS.SMS.SenderID": sender} if sender else {})}
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in named.items()}
        asked = {"PhoneNumber": "+819012345678", "Message": said, "MessageAttributes": attributes}
        yield {
            "kind": "sns_sms", "url": "https://sns.eu-west-1.amazonaws.com/",
            "form": create_serializer("query").serialize_to_request(asked, publish)["body"],
            "settings": {"key": "AK", "secret": "s", "region": "eu-west-1", "sender_id": sender},
            "delivery": {"message": "msg_1", "address": "+819012345678", "text": said},
        }  # fmt: skip


def sendgrid_requests() -> Iterator[Case]:
    from sendgrid.helpers import mail as client

    off = (
        client.ClickTracking(enable=False),
        client.OpenTracking(enable=False),
        client.SubscriptionTracking(enable=False),
    )
    for _ in range(EACH // 2):
        subject, text, html = words(), words(300), f"<p>{words()}</p>"
        mail, to = client.Mail(), client.Personalization()
        mail.from_email, mail.subject = client.Email("news@shop.example", "Shop, Inc."), subject
        to.add_to(client.Email("ada@example.com"))
        to.add_custom_arg(client.CustomArg("kizuna", "msg_1"))
        mail.add_personalization(to)
        mail.add_content(client.Content("text/plain", text))
        mail.add_content(client.Content("text/html", html))
        mail.add_header(client.Header("Message-ID", "<msg_1@shop.example>"))
        mail.tracking_settings = client.TrackingSettings(*off[:2], off[2])
        yield {
            "kind": "sendgrid", "url": "https://api.sendgrid.com/v3/mail/send", "json": mail.get(),
            "settings": {"key": "k", "from": "Shop, Inc. <news@shop.example>"},
            "delivery": {
                "message": "msg_1", "address": "ada@example.com", "subject": subject, "text": text, "html": html,
            },
        }  # fmt: skip


def vonage_requests() -> Iterator[Case]:
    from vonage_messages.models import Sms

    for _ in range(EACH // 2):
        said = words(300)
        model = Sms(to="819012345678", from_="Shop", text=said, client_ref="msg_1")
        yield {
            "kind": "vonage", "url": "https://api.nexmo.com/v1/messages",
            "json": model.model_dump(by_alias=True, exclude_none=True, mode="json"),
            "settings": {"key": "k", "secret": "s", "from": "Shop"},
            "delivery": {"message": "msg_1", "address": "+819012345678", "text": said},
        }  # fmt: skip


SENDERS = ["news@shop.example", "Shop <news@shop.example>", '"Shop, Inc." <news@shop.example>', "店 <a@bücher.example>"]
ADDRESSES = ["ada@example.com", "o'neil+x@日本語.jp"]
MAIL = {  # what of a mail is comparable: the rest is how we and they follow it up
    "postmark": ({"token": "t"}, ("To", "From", "Subject", "TextBody", "HtmlBody")),
    "resend": ({"key": "k"}, ("to", "from", "subject", "text", "html")),
    "brevo": ({"key": "k"}, ("to", "sender", "subject", "textContent", "htmlContent")),
    "mailgun": ({"key": "k", "domain": "mg.shop.example"}, ("to", "from", "subject", "text", "html")),
}


def mail_requests() -> Iterator[Case]:
    import django
    import requests
    from django.conf import settings

    keys = {"POSTMARK_SERVER_TOKEN": "t", "RESEND_API_KEY": "k", "BREVO_API_KEY": "k", "MAILGUN_API_KEY": "k"}
    settings.configure(ANYMAIL={**keys, "MAILGUN_SENDER_DOMAIN": "mg.shop.example"}, INSTALLED_APPS=["anymail"])
    django.setup()
    from django.core.mail import EmailMultiAlternatives, get_connection

    asked: dict[str, Any] = {}

    def taken(_: requests.Session, **request: Any) -> requests.Response:
        asked.update(request)
        answer = requests.Response()
        answer.status_code = 200
        said = {"id": "1", "message": "Queued.", "ErrorCode": 0, "Message": "OK", "MessageID": "m", "messageId": "m"}
        answer._content = json.dumps({**said, "To": "a@b.example"}).encode()
        return answer

    requests.Session.request = taken  # type: ignore[assignment,method-assign]
    for kind, (own, names) in MAIL.items():
        for sender, address in [(sender, address) for sender in SENDERS for address in ADDRESSES]:
            subject, text, html = words(), words(), f"<p>{words()}</p>"
            mail = EmailMultiAlternatives(subject, text, sender, [address])
            mail.attach_alternative(html, "text/html")
            mail.connection = get_connection(f"anymail.backends.{kind}.EmailBackend")
            mail.send()
            sent = dict(asked["data"]) if kind == "mailgun" else json.loads(asked["data"])
            first = {
                name: sent[name][0] if kind == "mailgun" and name in ("to", "from") else sent[name] for name in names
            }
            yield {
                "kind": kind, "url": asked["url"], "holds": first, "settings": {**own, "from": sender},
                "delivery": {"message": "msg_1", "address": address, "subject": subject, "text": text, "html": html},
            }  # fmt: skip


if __name__ == "__main__":
    main()
