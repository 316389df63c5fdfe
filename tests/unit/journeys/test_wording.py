"""What a step writes sees the whole customer, whichever parts of the record happen to be awake."""

from __future__ import annotations

from kizuna.engine.record import Codec, StoredRecord, encode_section
from kizuna.engine.slice import Effects, Scope, Workspace
from kizuna.journeys.run import Run
from kizuna.journeys.wording import worded
from kizuna.profiles.section import Profile
from kizuna.segments.section import Segments


def test_the_segments_of_a_record_just_read_are_there() -> None:
    """A timer wakes the run; nothing asked for the segments before."""
    kept = (encode_section(Profile(user_id="ada")), encode_section(Segments(member_of={"buyers": 5, "all": 7})))
    record = Codec({"profiles": Profile, "segments": Segments}).read(StoredRecord(bytes(16), 0, 1, 1, 0, kept))
    assert "segments" not in record.sections
    scope = Scope(Workspace(1, "shop", "test", "UTC", "JPY", "opt_out"), {}, Effects())
    scope.record = record
    run = Run(id=bytes(16), journey="welcome", version=1, entered_at=1, began=1)
    said = worded({"in": "{{ profile.segments | join: ',' }}"}, run, scope)
    assert said == {"in": "all,buyers"}
