"""Letters that nobody can print."""

from __future__ import annotations

from kizuna.runtime.doctor import Question, sql

QUESTIONS = [
    Question(
        name="letters_without_font",
        invariant=0,
        ask=sql(
            "SELECT workspace, template, count(*) FROM message WHERE channel = 'letter' AND state = 'planned'"
            " AND state IN ('planned', 'claimed', 'handed') AND starts_with(trouble, 'no_font') GROUP BY 1, 2"
        ),
        advice=(
            "letters of a template wait for a font that has their signs: name a TrueType font with KIZUNA_FONTS,"
            " such as Noto Sans JP, or install one, and restart"
        ),
        is_watched=True,
    ),
]
