-- Messages in the shop's own pages: what lies ready for a customer's browser.

CREATE TABLE shelf (
    workspace     integer NOT NULL,
    message       bytea NOT NULL,         -- title, body and whose send it is stand there
    profile       bytea NOT NULL,         -- to whom it went; found from the record that this one was merged into
    run           text,                   -- of a journey: its exit clears away what it said
    placed_at     bigint NOT NULL,
    expires_at    bigint NOT NULL,
    item          bytea NOT NULL,         -- JSON: image, url, buttons, display
    delivered_at  bigint,                 -- first taken by a browser
    seen_at       bigint,                 -- first shown
    read_at       bigint,
    PRIMARY KEY (workspace, message)
);
CREATE INDEX shelf_profile ON shelf (workspace, profile, placed_at);
CREATE INDEX shelf_run ON shelf (workspace, run) WHERE run IS NOT NULL;
CREATE INDEX shelf_expires ON shelf (workspace, expires_at);

-- Who was merged into a record: what lies ready for them lies ready for who they are now.
CREATE INDEX profile_merged ON profile (workspace, merged_into) WHERE merged_into IS NOT NULL;
