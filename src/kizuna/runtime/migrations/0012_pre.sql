-- Reports that mails came back with: each means something once, however often it is posted.

CREATE TABLE mail_report (
    workspace     integer NOT NULL,
    id            bytea NOT NULL,         -- derived from the message and the state that was reported of it
    at            bigint NOT NULL,        -- by the workspace's clock
    PRIMARY KEY (workspace, id)
);
