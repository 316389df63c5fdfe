-- Transactional messages are taken first: the order in which open messages are looked for begins with them.

DROP INDEX message_due;
CREATE INDEX message_due ON message (workspace, channel, transactional, due_at, root)
    WHERE state IN ('planned', 'claimed', 'handed');
