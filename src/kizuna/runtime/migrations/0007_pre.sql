-- Imports of files: how far each one is committed, so that running it again goes on and does nothing twice.

CREATE TABLE import (
    workspace     integer NOT NULL,
    id            bytea NOT NULL,         -- derived from the file's content and the map
    name          text NOT NULL,          -- of the file
    kind          text NOT NULL,          -- events, profiles
    state         text NOT NULL,          -- running, finished, failed
    checks_only   boolean NOT NULL,       -- a dry run: nothing is appended
    map           text NOT NULL,          -- JSON, exactly as it was said
    size          bigint NOT NULL,        -- bytes
    done          bigint NOT NULL,        -- bytes read
    rows          bigint NOT NULL,        -- records committed: taken or rejected
    taken         bigint NOT NULL,
    consents      bigint NOT NULL,
    rejected      bigint NOT NULL,
    rejects_size  bigint NOT NULL,        -- bytes of the rejects file that belong to `rows`
    position      bigint NOT NULL,        -- of the newest piece
    error         text,
    started_at    bigint NOT NULL,        -- real time, as below
    changed_at    bigint NOT NULL,
    PRIMARY KEY (workspace, id)
);
