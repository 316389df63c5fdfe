-- What the console lists: calls, and messages that need somebody's eyes.

CREATE INDEX message_of_call ON message (workspace, id) WHERE channel = 'call';
CREATE INDEX message_in_trouble ON message (workspace, planned_at, id) WHERE state IN ('unknown', 'rejected');

CREATE TABLE lane_rest (                  -- of a provider that did not answer when last asked; the sender's word
    workspace     integer NOT NULL,
    lane          text NOT NULL,          -- the channel, or `lane NAME` that several providers share
    failures      integer NOT NULL,       -- in a row
    reason        text NOT NULL,
    at            bigint NOT NULL,        -- real time, as is the next
    rests_until   bigint NOT NULL,
    PRIMARY KEY (workspace, lane)
);
