-- Who is the friend that LINE speaks of.

CREATE INDEX profile_line ON profile (workspace, left(traits ->> 'line_id', 320)) WHERE traits ? 'line_id';

-- What customers did at a channel (became a friend, left, wrote to us) means something once, however often it is told.

CREATE TABLE act (
    workspace     integer NOT NULL,
    id            bytea NOT NULL,         -- derived from the provider, the address and what they call it
    at            bigint NOT NULL,        -- by the workspace's clock
    PRIMARY KEY (workspace, id)
);
