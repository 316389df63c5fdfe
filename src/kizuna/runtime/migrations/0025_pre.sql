-- Opens and clicks of the last minutes: a machine shows in how many of them come at once.

CREATE TABLE touch (
    workspace     integer NOT NULL,
    item          text NOT NULL,          -- of the log
    message       bytea NOT NULL,
    profile       bytea NOT NULL,         -- whose partition has the item
    state         text NOT NULL,          -- opened, clicked
    link          integer NOT NULL,       -- its number in the message; -1: the one that no person sees
    actor         text NOT NULL,
    said_at       bigint NOT NULL,        -- by the workspace's clock, as the item has it
    at            bigint NOT NULL DEFAULT real_now(),
    PRIMARY KEY (workspace, item)
);
CREATE INDEX touch_of_message ON touch (workspace, message, at);
CREATE INDEX touch_by_age ON touch (at);
