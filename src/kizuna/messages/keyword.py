"""What a reply by SMS asks for, where it is one of the words that carriers and laws name. Pure."""

from __future__ import annotations

import re
import unicodedata

STOP, START, HELP = "stop", "start", "help"
_WORDS = {
    STOP: "stop stopall unsubscribe cancel end quit revoke optout"
    " 停止 停止希望 配信停止 配信停止希望 配信解除 解除 登録解除 受信拒否 ストップ",
    START: "start unstop 再開 配信再開 再開希望 スタート",
    HELP: "help info ヘルプ",
}  # fmt: skip
_MEANS = {word: keyword for keyword, words in _WORDS.items() for word in words.split()}
_ASIDE = re.compile(r"[\W_]+")
_POLITE = re.compile(r"\A(?:please|pls)|(?:please|pls|を?お願い(?:いた|致)?します|して(?:くだ|下)さい)\Z")


def keyword_of(text: str) -> str | None:
    """Only where it is all that was said: `Stop!`, `配信停止してください`, not `I cannot stop laughing`."""
    plain = _ASIDE.sub("", unicodedata.normalize("NFKC", text[:200]).casefold())
    return _MEANS.get(plain) or _MEANS.get(_POLITE.sub("", plain))
