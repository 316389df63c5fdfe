-- Launches of campaigns in steps, their goals, and the harm that pauses them.

ALTER TABLE launch                        -- of campaigns: each is made once, whatever crashed in between
    ADD COLUMN version integer NOT NULL DEFAULT 0,
    ADD COLUMN state text NOT NULL DEFAULT 'handed', -- scheduled, gathering, handing, handed, cancelled
    ADD COLUMN asked_at bigint NOT NULL DEFAULT 0,
    ADD COLUMN due_at bigint NOT NULL DEFAULT 0,     -- when its members are gathered
    ADD COLUMN as_of bigint NOT NULL DEFAULT 0,      -- the position up to which all is folded before they are
    ADD COLUMN handed integer NOT NULL DEFAULT 0,    -- members handed out so far
    ADD COLUMN handed_to bytea NOT NULL DEFAULT '';  -- the last of them: they go in the order of ids
CREATE INDEX launch_open ON launch (workspace, position) WHERE state IN ('scheduled', 'gathering', 'handing');

CREATE TABLE launch_member (              -- who is to be reached, copied at once; gone when all are handed out
    workspace     integer NOT NULL,
    launch        bytea NOT NULL,
    profile       bytea NOT NULL,
    PRIMARY KEY (workspace, launch, profile)
);

INSERT INTO counter (workspace, name, slot, value)   -- launches made before were said to all members at once
SELECT workspace, 'campaign:' || campaign || ':decided', 0, sum(members) FROM launch GROUP BY workspace, campaign;
UPDATE launch SET handed = members;

CREATE TABLE conversion (                 -- goals of campaigns, the first of each message (held-out ones too)
    workspace     integer NOT NULL,
    message       bytea NOT NULL,
    campaign      text NOT NULL,
    at            bigint NOT NULL,
    value         numeric,
    PRIMARY KEY (workspace, message)
);

CREATE TABLE harm (                       -- complaints and hard bounces
    workspace     integer NOT NULL,
    message       bytea NOT NULL,
    what          text NOT NULL,          -- complaint, hard_bounce
    at            bigint NOT NULL,
    is_judged     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace, message, what)
);
CREATE INDEX harm_unjudged ON harm (workspace) WHERE NOT is_judged;

CREATE INDEX message_of_campaign ON message (workspace, campaign) WHERE campaign IS NOT NULL;
CREATE INDEX message_recent ON message USING brin (planned_at);
-- Every claim asks what is paused or cancelled; hardly ever is anything.
CREATE INDEX definition_paused ON definition (workspace, kind, name) 
    WHERE retired IS NULL AND status IN ('paused', 'cancelled');
