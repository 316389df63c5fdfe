from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.core import ids
from kizuna.core.errors import Invalid

# Written down once: ids stand in logs and lakes, so a change of the recipe breaks every installation.
DERIVED = "66fa8817ce031f3756c2eda359c1abde"
ADA = "5f5a2f996586026f9d58a0512eb33f4b"

SIXTEEN = st.binary(min_size=16, max_size=16)


@given(SIXTEEN)
def test_an_outer_id_reads_back_to_its_bytes(raw: bytes) -> None:
    shown = ids.show("prf", raw)
    assert ids.read("prf", shown) == raw
    assert ids.read("prf", "prf_" + shown.removeprefix("prf_").lower()) == raw


@given(SIXTEEN, SIXTEEN)
def test_outer_ids_sort_as_their_bytes_do(one: bytes, other: bytes) -> None:
    assert (one < other) == (ids.show("run", one) < ids.show("run", other))


@pytest.mark.parametrize(
    "text",
    ["", "prf_", "evt_" + "0" * 26, "prf_" + "0" * 25, "prf_" + "0" * 27, "prf_" + "U" * 26, "prf_" + "Z" * 26,
     "prf_" + "絆" * 26, "prf" + "0" * 26],
)  # fmt: skip
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        ids.read("prf", text)
    assert refusal.value.code == "invalid_id"


def test_derived_ids_are_the_same_in_every_process() -> None:
    assert ids.derive("fact", b"\x00" * 16, "evt_1", "segment_entered", 5, 1).hex() == DERIVED
    assert ids.profile_id(1, "user", "ada").hex() == ADA


def test_parts_cannot_imitate_other_parts() -> None:
    assert ids.derive("ab", "c") != ids.derive("a", "bc")
    assert ids.derive("a", "") != ids.derive("a")
    assert ids.derive("1") == ids.derive(1)


def test_the_same_value_in_another_kind_or_workspace_is_another_profile() -> None:
    one = ids.profile_id(1, "user", "ada")
    assert len(one) == ids.ID_BYTES
    assert one == ids.profile_id(1, "user", "ada")
    others = {ids.profile_id(1, "anon", "ada"), ids.profile_id(2, "user", "ada"), ids.profile_id(12, "user", "ada")}
    assert len({one, *others}) == 4


@given(SIXTEEN, st.integers(1, 32_767))
def test_a_partition_is_one_of_those_there_are(profile: bytes, partitions: int) -> None:
    assert 0 <= ids.partition_of(profile, partitions) < partitions


def test_partitions_and_buckets_are_spread_evenly() -> None:
    profiles = [ids.profile_id(1, "user", str(number)) for number in range(6_400)]
    counts = [0] * 64
    for profile in profiles:
        counts[ids.partition_of(profile, 64)] += 1
    assert min(counts) > 60 and max(counts) < 150
    buckets = [ids.bucket("salt", profile) for profile in profiles]
    assert all(0 <= bucket < 10_000 for bucket in buckets)
    assert 4_700 < sum(buckets) / len(buckets) < 5_300


def test_buckets_of_another_salt_are_independent() -> None:
    profiles = [ids.profile_id(1, "user", str(number)) for number in range(4_000)]
    both = sum(ids.bucket("a", p) < 5_000 and ids.bucket("b", p) < 5_000 for p in profiles)
    assert 850 < both < 1_150


def test_secrets_differ_and_are_long() -> None:
    one, other = ids.secret("key"), ids.secret("key")
    assert one != other
    assert one.startswith("key_") and len(one) == 4 + 43


def test_ids_of_many_profiles_are_those_of_each() -> None:
    of_user = ids.profile_ids(7, "user")
    for value in ("", "ada", "絆", "a\x00b", "x" * 300):
        assert of_user(value) == ids.profile_id(7, "user", value)


def test_ids_of_facts_are_derived_as_all_others() -> None:
    profile = bytes(range(16))
    for cause, name, at, serial in (("evt_1", "segment_entered", 0, 1), ("注文", "x", 1_795_000_000_000_000, 42)):
        assert ids.fact_id(profile, cause, name, at, serial) == ids.derive("fact", profile, cause, name, at, serial)
