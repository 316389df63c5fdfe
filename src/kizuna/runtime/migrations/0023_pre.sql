-- What people carry: letters in batches for a printing house, and phone calls that somebody makes.

CREATE TABLE letter_batch (               -- closed; the one that is still open is what is handed and in none
    workspace     integer NOT NULL,
    number        integer NOT NULL,       -- 1, 2, 3 ... of the workspace
    provider      text NOT NULL,
    settings      jsonb NOT NULL,         -- of the provider when it closed: printed again, it is the same
    letters       integer NOT NULL,
    closed_at     bigint NOT NULL,
    posted_at     bigint,
    PRIMARY KEY (workspace, number)
);

CREATE TABLE letter (
    workspace     integer NOT NULL,
    message       bytea NOT NULL,
    batch         integer NOT NULL,
    place         integer NOT NULL,       -- within its batch, from 1
    code          text NOT NULL,          -- derived from the message and our secret
    redeemed_at   bigint,
    returned_at   bigint,
    PRIMARY KEY (workspace, message)
);
CREATE UNIQUE INDEX letter_code ON letter (code);
CREATE UNIQUE INDEX letter_of_batch ON letter (workspace, batch, place);

CREATE TABLE call (                       -- of a message that somebody took to call; nobody did yet where there is none
    workspace     integer NOT NULL,
    message       bytea NOT NULL,
    state         text NOT NULL,          -- open, taken, done, withdrawn
    tries         integer NOT NULL,
    next_at       bigint NOT NULL,        -- not before
    taken_by      text,
    taken_until   bigint,
    outcome       text,
    note          text,
    finished_at   bigint,
    PRIMARY KEY (workspace, message)
);
CREATE INDEX call_open ON call (workspace, state, next_at) WHERE state IN ('open', 'taken');
