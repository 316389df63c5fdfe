-- Timers lie beside the records. A record that asks to be woken earlier used to move in every index of its row, the
-- one of its mail address included; now its row stays where it is and one narrow row is added. An alarm that has been
-- overtaken by an earlier one rings for nothing, once, and is gone.

CREATE TABLE alarm (
    workspace     integer NOT NULL,
    partition     smallint NOT NULL,
    at            bigint NOT NULL,
    profile       bytea NOT NULL,
    PRIMARY KEY (workspace, partition, at, profile)
);

INSERT INTO alarm (workspace, partition, at, profile)
SELECT workspace, partition, wake_at, id FROM profile WHERE wake_at IS NOT NULL;

DROP INDEX profile_wake;
