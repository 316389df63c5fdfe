"""How plainly a text is written. Pure; for whole texts, and rough for a few words.

English: the grade level of Flesch and Kincaid, 0.39 words a sentence + 11.8 syllables a word - 15.59 (Kincaid,
Fishburne, Rogers and Chissom, "Derivation of New Readability Formulas for Navy Enlisted Personnel", Naval Technical
Training Command, Research Branch Report 8-75, 1975). Syllables are counted as runs of vowels, an `e` at the end aside.

Japanese has no grade level that is counted so simply. Two plain measures stand for it: the mean length of a sentence
in characters, blanks and signs aside, and the share of kanji among the kanji and kana. They are our own; the length of
sentences is the first factor of the formula of Tateisi, Ono and Yamada ("A Computer Readability Formula of Japanese
Texts for Machine Scoring", COLING 1988).
"""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[.!?]+(?:\s|\Z)|\n\s*\n")
_SENTENCE_JA = re.compile(r"[。！？!?]+|\n\s*\n|\Z")
_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")
_VOWELS = re.compile(r"[aeiouy]+")
_KANJI = re.compile(r"[\u3400-\u9fff\uf900-\ufaff々〆]")
_KANA = re.compile(r"[\u3041-\u309f\u30a1-\u30ff]")
LEAST_WORDS = 20  # a grade of fewer says nothing


def grade(text: str) -> float | None:
    """The school year, of the United States, that reads it with ease; None for a text of a few words."""
    sentences = [said for part in _SENTENCE.split(text) if (said := _WORD.findall(part))]
    words = [word for sentence in sentences for word in sentence]
    if len(words) < LEAST_WORDS:
        return None
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def syllables(word: str) -> int:
    word = word.lower().replace("'", "")
    count = len(_VOWELS.findall(word))
    is_silent = word.endswith("e") and not word.endswith("le") and count > 1 and not _VOWELS.search(word[-2:-1])
    return max(1, count - is_silent)


def sentence_length(text: str) -> float | None:
    """Characters of a sentence on average; None where there is no sentence."""
    lengths = [sum(sign.isalnum() or sign in "々ー〆" for sign in part) for part in _SENTENCE_JA.split(text)]
    said = [length for length in lengths if length]
    return sum(said) / len(said) if said else None


def kanji_share(text: str) -> float | None:
    """0..1; None where there is neither kanji nor kana."""
    kanji, kana = len(_KANJI.findall(text)), len(_KANA.findall(text))
    return kanji / (kanji + kana) if kanji + kana else None
