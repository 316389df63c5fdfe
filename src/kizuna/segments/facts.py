"""What segments say on a timeline."""

from __future__ import annotations

from kizuna.engine.fact import Fact

_SAID = {"segment": "its name", "version": "the version of its rule"}

FACTS = (
    Fact("segment_entered", "The rule became true of the customer, or an uploaded list names them.", _SAID),
    Fact("segment_left", "It no longer is, or the segment was deleted.", _SAID),
)
