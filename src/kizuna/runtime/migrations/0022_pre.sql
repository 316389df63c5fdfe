-- Consent: each act is a row of its own, and each message that was sent points to the one that allowed it.

CREATE TABLE consent_proof (              -- written by the fold, never changed
    workspace     integer NOT NULL,
    id            bytea NOT NULL,         -- derived from the item that said it
    profile       bytea NOT NULL,         -- to whom it was said, before any merge
    channel       text NOT NULL,
    topic         text NOT NULL DEFAULT '',
    state         text NOT NULL,
    source        text NOT NULL,
    proof         jsonb,                  -- as it was given: form, page, text version, address, how
    basis         text NOT NULL,          -- express, purchase, inquiry
    at            bigint NOT NULL,        -- when it was said
    known_at      bigint NOT NULL,        -- when we learned of it
    until         bigint,                 -- when it runs out by itself
    item          text NOT NULL,          -- of the log
    PRIMARY KEY (workspace, id)
);
CREATE INDEX consent_proof_profile ON consent_proof (workspace, profile, at);

ALTER TABLE message
    ADD COLUMN consent text,              -- what allowed it when it was claimed: opted_in, neutral, transactional
    ADD COLUMN proof bytea;               -- of an opt-in: the row of consent_proof

