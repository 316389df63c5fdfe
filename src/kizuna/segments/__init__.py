"""Which: takes events, traits and consent, decides membership, appends `segment_entered` and `segment_left`."""
