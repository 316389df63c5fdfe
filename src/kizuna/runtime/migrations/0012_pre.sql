-- What is told from outside (a mail that came back, a reply, a friend who left) means something once, however often.

CREATE TABLE told (
    workspace     integer NOT NULL,
    id            bytea NOT NULL,         -- derived from what was told and of whom
    at            bigint NOT NULL,        -- by the workspace's clock
    PRIMARY KEY (workspace, id)
);
