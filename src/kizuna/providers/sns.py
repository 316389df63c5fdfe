"""Notifications of Amazon SNS: who signed them. https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from kizuna.core.errors import Invalid
from kizuna.providers.report import text

NOTIFICATION, CONFIRMATION, FAREWELL = "Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"
_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.(?:com|com\.cn|eu)\Z")
_OF_SUBSCRIPTIONS = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: _OF_SUBSCRIPTIONS,
    FAREWELL: _OF_SUBSCRIPTIONS,
}
_HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303  # their version 1


def is_theirs(url: str) -> bool:
    """Whether an address is one of SNS itself: anybody can sign with a certificate of their own."""
    parts = urlsplit(url)
    return parts.scheme == "https" and bool(_HOST.match(parts.netloc))


def verify(said: Any, fetch: Callable[[str], bytes]) -> bool:
    """Whether a notification was signed by SNS; `fetch` gets the certificate it names."""
    names, hashed = _SIGNED.get(text(said, "Type")), _HASHES.get(text(said, "SignatureVersion"))
    url = text(said, "SigningCertURL")
    if names is None or hashed is None or not is_theirs(url) or not urlsplit(url).path.endswith(".pem"):
        return False
    content = "".join(f"{name}\n{text(said, name)}\n" for name in names if name != "Subject" or text(said, name))
    try:
        key = x509.load_pem_x509_certificate(fetch(url)).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        key.verify(b64decode(text(said, "Signature")), content.encode(), padding.PKCS1v15(), hashed)
    except (InvalidSignature, Invalid, ValueError, binascii.Error):
        return False
    return True
