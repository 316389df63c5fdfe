-- Care: a restored copy that must not send, alarms, the age of vetoes.

ALTER TABLE installation ADD COLUMN sending_locked_at bigint;  -- real time of a restore; NULL: sending is open

ALTER TABLE veto ADD COLUMN at bigint NOT NULL DEFAULT real_now();

CREATE TABLE raised_alarm (               -- raised once for each rule and subject until the rule holds again
    workspace     integer NOT NULL,       -- 0: of the installation
    id            bigint GENERATED ALWAYS AS IDENTITY,
    rule          text NOT NULL,          -- a check of doctor, or a guard
    subject       text NOT NULL DEFAULT '',
    message       text NOT NULL,
    raised_at     bigint NOT NULL,        -- real time, as the others here
    resolved_at   bigint,                 -- by hand, or because the rule held again
    resolved_by   text,                   -- the member or key; NULL: by itself
    cleared_at    bigint,                 -- the rule held again: only then may it be raised anew
    told_at       bigint,                 -- members were told; NULL: nobody to tell, or not yet
    PRIMARY KEY (workspace, id)
);
CREATE UNIQUE INDEX raised_alarm_standing ON raised_alarm (workspace, rule, subject) WHERE cleared_at IS NULL;
