-- How far each feed has told the log.

CREATE TABLE feed (
    workspace   integer NOT NULL REFERENCES workspace,
    name        text NOT NULL,
    state       text NOT NULL DEFAULT 'on',          -- on, paused, parked (it failed too often)
    partitions  smallint[] NOT NULL,
    offsets     bigint[] NOT NULL,                   -- told up to here, by partition
    until       bigint[],                            -- where the piece under way ends; kept before it is handed over
    pieces      bigint NOT NULL DEFAULT 0,           -- handed over
    entries     bigint NOT NULL DEFAULT 0,           -- in them
    tries       integer NOT NULL DEFAULT 0,          -- failed in a row
    next_at     bigint NOT NULL DEFAULT 0,           -- not before this real time
    trouble     text,                                -- why the last try failed
    told_at     bigint,                              -- real time of the last piece
    PRIMARY KEY (workspace, name)
);

CREATE TABLE feed_refused (                          -- entries that the other side will never take
    workspace   integer NOT NULL,
    feed        text NOT NULL,
    entry       text NOT NULL,
    at          bigint NOT NULL,
    answer      text NOT NULL,
    body        bytea NOT NULL,
    PRIMARY KEY (workspace, feed, entry),
    FOREIGN KEY (workspace, feed) REFERENCES feed (workspace, name) ON DELETE CASCADE
);
