"""Feeds that are not told."""

from __future__ import annotations

from kizuna.runtime.doctor import Question, sql

QUESTIONS = [
    Question(
        name="feeds_parked",
        invariant=0,
        ask=sql("SELECT workspace, name, 1 FROM feed WHERE state = 'parked'"),
        advice="feeds are parked, for their targets failed ten times: GET /api/v1/feeds/NAME says why,"
        " POST .../resume goes on",
        is_watched=True,
        is_listing=True,
    ),
    Question(
        name="feeds_fail",
        invariant=0,
        ask=sql("SELECT workspace, name, tries FROM feed WHERE state = 'on' AND tries >= 3"),
        advice="tries in a row failed to tell a feed: GET /api/v1/feeds/NAME says why",
        is_watched=True,
        is_listing=True,
    ),
]
