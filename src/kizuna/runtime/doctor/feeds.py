"""Feeds that cannot be told."""

from __future__ import annotations

from kizuna.runtime.doctor import Question, sql

QUESTIONS = [
    Question(
        name="feeds_failing",
        invariant=0,
        ask=sql("SELECT workspace, name, tries FROM feed WHERE state = 'parked' OR (state = 'on' AND tries >= 3)"),
        advice="tries in a row failed to tell a feed, which is parked after ten: GET /api/v1/feeds/NAME says why,"
        " POST .../resume goes on",
        is_watched=True,
        is_listing=True,
    ),
]
