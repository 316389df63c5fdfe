-- Transactional messages are taken first: the order in which open messages are looked for begins with them.

DROP INDEX message_due;
CREATE INDEX message_due ON message (workspace, channel, transactional, due_at, root)
    WHERE state IN ('planned', 'claimed', 'handed');

-- What receivers refuse for what is said, or for who says it.

CREATE INDEX harm_refused ON harm (what, at) WHERE what IN ('refused_content', 'refused_sender');
