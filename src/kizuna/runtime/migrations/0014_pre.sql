-- Web hooks: each provider of the channel has a lane of its own; a message keeps what went wrong last.

CREATE INDEX message_of_hook ON message (workspace, provider, due_at)
    WHERE channel = 'webhook' AND state IN ('planned', 'claimed', 'handed');

ALTER TABLE message ADD COLUMN trouble text;  -- why the latest attempt was not taken; the state says what came of it
