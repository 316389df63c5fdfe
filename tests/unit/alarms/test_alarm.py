"""What is raised and what is well again."""

from __future__ import annotations

from kizuna.alarms.alarm import Place, changes

DISK, PARKED, OTHER = Place(0, "disk_full", "/data"), Place(1, "profiles_parked", "prf_1"), Place(1, "guard", "c")


def test_what_is_found_is_raised_once() -> None:
    assert changes([], {DISK: "full"}, {"disk_full"}) == ({DISK: "full"}, [])
    assert changes([DISK], {DISK: "full"}, {"disk_full"}) == ({}, [])


def test_each_subject_stands_for_itself() -> None:
    second = Place(1, "profiles_parked", "prf_2")
    assert changes([PARKED], {second: "m"}, {"profiles_parked"}) == ({second: "m"}, [PARKED])


def test_a_rule_that_could_not_be_asked_clears_nothing() -> None:
    assert changes([DISK, PARKED], {}, {"disk_full"}) == ({}, [DISK])


def test_a_guards_alarm_is_not_cleared_by_doctors_rules() -> None:
    assert changes([OTHER], {}, {"disk_full", "profiles_parked"}) == ({}, [])
