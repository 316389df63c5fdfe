"""What a reply by SMS asks for: a word that carriers and laws name, or a refusal in the customer's own words. Pure."""

from __future__ import annotations

import re
import unicodedata

STOP, START, HELP = "stop", "start", "help"
_WORDS = {
    STOP: "stop stopall unsubscribe cancel end quit revoke optout"
    " 停止 停止希望 配信停止 配信停止希望 配信解除 解除 登録解除 受信拒否 ストップ",
    START: "start unstop 再開 配信再開 再開希望 スタート",
    HELP: "help info ヘルプ 問い合わせ お問い合わせ",
}  # fmt: skip
_MEANS = {word: keyword for keyword, words in _WORDS.items() for word in words.split()}
_ASIDE = re.compile(r"[\W_]+")
_POLITE = re.compile(r"\A(?:please|pls)|(?:please|pls|を?お願い(?:いた|致)?します|して(?:くだ|下)さい)\Z")
LONGEST = 200  # characters that are looked at


# A refusal names what is to end: the messages, or that they reach this person. `Stop` alone is above; an order, a sale
# and whatever else may be stopped or cancelled is not ours to guess at. Every repetition is bounded: no text is slow.
_SENT = "(?:texts?|texting|messages?|messaging|sms|msgs?|spam|contact(?:ing)?|notifications?|alerts?)"
_TO_ME = "(?: (?:to me|me|us|to this number|this number|to my phone|from you)){0,2}"
_ENGLISH = re.compile(
    r"\A(?:(?:hi|hey|hello|ok|okay|i|please|pls|just|can you|could you|would you|i said) ){0,4}(?:"
    rf"(?:stop|quit|cease) (?:(?:all|these|those|the|your|sending|sending me|with) ){{0,3}}{_SENT}{_TO_ME}"
    r"|(?:stop|quit) (?:sending|writing)(?: (?:me|us|to me|this|these|that))?"
    rf"|(?:do not|dont|never) (?:(?:ever|send|send me|want|need) ){{0,2}}"
    rf"(?:(?:any|more|your|these|to|receive|get) ){{0,4}}{_SENT}{_TO_ME}"
    rf"|no more {_SENT}"
    r"|(?:unsubscribe|remove|delete|take) (?:me|my number|this number)(?: (?:off|out))?"
    r"(?: (?:from|of|off))?(?: (?:your|this|the|mailing|text|sms)){0,3}(?: (?:list|lists|texts|messages))?"
    r"|(?:i |i d |id ){0,1}(?:want|wish|would like|like) to (?:opt out|unsubscribe|be removed)"
    r"(?: (?:of|from)(?: (?:your|this|the|all|these)){0,2} (?:list|texts|messages))?"
    r"|opt me out|leave me alone|lose (?:my|this) number"
    r")(?: (?:please|pls|now|already|anymore|any more|again|thanks|thank you|immediately)){0,3}\Z"
)
_WHAT = (
    "(?:(?:メール|ショートメール|sms|メッセージ|ショートメッセージ|メルマガ|お知らせ|案内|広告|宣伝|配信|送信|受信|連絡|登録|購読)"
    "(?:を|は|の|も|が)?)"
)
_ASKED = (
    "(?:(?:を|の)?(?:手続き)?(?:を)?(?:お願い(?:いた|致)?します|おねがいします|希望(?:します|です)?)"
    "|(?:して)?(?:(?:くだ|下)さい|(?:ほ|欲)しい(?:です)?|もらえますか|いただけますか)|して|します|希望)?"
)
_JAPANESE = re.compile(
    rf"\A(?:(?:もう|今後|以後|これ以上|二度と|一切|この番号に|私に|うちに)(?:は|も|の)?){{0,3}}(?:"
    rf"{_WHAT}{{0,3}}(?:もう|今後)?(?:停止|中止|解除|拒否|ストップ|(?:や|止|と)めて|(?:送|おく)(?:ら|ってこ|って来)ないで){_ASKED}"
    rf"|{_WHAT}{{1,3}}(?:もう|今後)?(?:しないで{_ASKED}|(?:い|要)りません|(?:い|要)らない(?:です)?|不要(?:です)?|必要ありません"
    r"|必要ない(?:です)?|(?:結構|けっこう)です)"
    r")\Z"
)  # fmt: skip


def keyword_of(text: str) -> str | None:
    """A word only where it is all that was said: `Stop!`, `配信停止してください`, not `I cannot stop laughing`; a
    refusal where it names what is to end: `stop texting me`, `もう送らないでください`."""
    said = unicodedata.normalize("NFKC", text[:LONGEST]).casefold()
    plain = _ASIDE.sub("", said)
    known = _MEANS.get(plain) or _MEANS.get(_POLITE.sub("", plain))
    return known or (STOP if _refuses(said, plain) else None)


def language_of(text: str) -> str:
    """In which of our languages somebody wrote: `ja` with kana or kanji, else `en`."""
    said = unicodedata.normalize("NFKC", text[:LONGEST])
    return "ja" if any("\u3040" <= each <= "\u30ff" or "\u3400" <= each <= "\u9fff" for each in said) else "en"


def _refuses(said: str, plain: str) -> bool:
    words = _ASIDE.sub(" ", said.replace("'", "").replace("\u2019", "")).strip()
    return bool(_ENGLISH.match(words) or _JAPANESE.match(plain))
