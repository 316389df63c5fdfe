"""Ask what can be asked all the time; raise what is found, resolve what is well again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from kizuna.alarms import store
from kizuna.alarms.alarm import Place, changes
from kizuna.runtime.doctor import Patient, Question, answer, questions

SHOWN_SUBJECTS = 100  # of one rule in one turn


def watched() -> Mapping[str, Question]:
    """The rules whose alarms resolve by themselves."""
    return {question.name: question for question in questions() if question.is_watched}


def watch(connection: Connection[Any], place: Any) -> int:
    """One turn on an autocommit connection; how many alarms are new."""
    patient, asked = Patient(connection, place), set[str]()
    found: dict[Place, str] = {}
    for question in watched().values():
        findings = answer(patient, question)
        if findings is None:
            continue  # not known: what stands stays
        asked.add(question.name)
        for finding in findings[:SHOWN_SUBJECTS]:
            at = Place(finding.workspace, question.name, finding.subject)
            found[at] = f"{finding.count} {question.advice}"
    with connection.transaction(), connection.cursor() as cursor:
        raised, cleared = changes(store.standing(cursor), found, asked)
        if cleared:
            store.clear(cursor, cleared)
        return store.raise_alarms(cursor, raised) if raised else 0
