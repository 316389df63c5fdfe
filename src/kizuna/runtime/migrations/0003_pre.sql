-- A message is one row: what was said stands beside what was planned, and the outbox is a view of the rows it took.

CREATE SEQUENCE outbox_number;

ALTER TABLE message
    ADD COLUMN passed      bigint[],      -- states it went through: instant << 5 | number of the state
    ADD COLUMN subject     text,          -- as it was said, like all that follows
    ADD COLUMN body        text,
    ADD COLUMN links       jsonb,         -- click redirects go to these only; NULL: it had none
    ADD COLUMN unsubscribe text,          -- address of the one-click header
    ADD COLUMN outbox      bigint,        -- its number where the built-in sink received it
    ADD COLUMN outbox_at   bigint,
    ADD COLUMN recipient   bytea;         -- the record that the sink's mail went to, where `profile` was merged into it

UPDATE message m SET
    passed = (
        SELECT array_agg((said ->> 'at')::bigint << 5 | array_position(ARRAY[
            'planned', 'claimed', 'handed', 'unknown', 'expired', 'skipped', 'rejected', 'sent',
            'delivered', 'opened', 'clicked', 'bounced', 'unsubscribed', 'complained'], said ->> 'state') - 1
            ORDER BY place)
        FROM jsonb_array_elements(m.history) WITH ORDINALITY AS each (said, place)),
    subject = content.subject, body = content.body, links = nullif(content.links, '[]'),
    unsubscribe = substring(sink.item -> 'headers' ->> 'List-Unsubscribe' FROM '^<(.*)>$'),
    outbox = sink.id, outbox_at = sink.at,
    recipient = nullif(decode(substr(sink.item ->> 'profile', 5), 'hex'), m.profile)
FROM message same
LEFT JOIN message_content content ON content.workspace = same.workspace AND content.message = same.id
LEFT JOIN outbox sink ON sink.workspace = same.workspace AND sink.message = same.id
WHERE m.workspace = same.workspace AND m.id = same.id;

SELECT setval('outbox_number', greatest((SELECT max(id) FROM outbox), 1));
DROP TABLE message_content, outbox;
ALTER TABLE message DROP COLUMN history;
ALTER TABLE message RENAME COLUMN passed TO history;
ALTER TABLE message ALTER COLUMN history SET NOT NULL;
ALTER SEQUENCE outbox_number OWNED BY message.outbox;

-- Held messages are not walked over to find due ones, nor those of a dead provider to find another channel's; with
-- `root` in it a reader waiting for a position looks at no row.
DROP INDEX message_open;
CREATE INDEX message_due ON message (workspace, channel, due_at, root) WHERE state IN ('planned', 'claimed', 'handed');
-- Only what is planned is ever looked for by its run: the rest need not be kept findable.
DROP INDEX message_of_run;
CREATE INDEX message_of_run ON message (workspace, run) WHERE state = 'planned' AND run IS NOT NULL;
CREATE INDEX message_handed ON message (lease_until) WHERE state = 'handed';
CREATE INDEX message_in_outbox ON message (workspace, outbox_at, outbox) WHERE outbox IS NOT NULL;

CREATE VIEW outbox AS                     -- what the built-in sink received
SELECT workspace, outbox AS id, id AS message, outbox_at AS at,
    jsonb_build_object(
        'message_id', 'msg_' || encode(id, 'hex'),
        'profile', 'prf_' || encode(coalesce(recipient, profile), 'hex'),
        'channel', channel, 'to', address, 'subject', subject, 'body', body,
        'headers', jsonb_build_object(
            'To', address, 'Subject', subject, 'Message-ID', '<msg_' || encode(id, 'hex') || '@kizuna.invalid>')
            || CASE WHEN unsubscribe IS NULL THEN '{}' ELSE jsonb_build_object(
                'List-Unsubscribe', '<' || unsubscribe || '>',
                'List-Unsubscribe-Post', 'List-Unsubscribe=One-Click') END,
        'template', template, 'step', step)
    || jsonb_strip_nulls(jsonb_build_object(
        'journey', nullif(journey, ''), 'campaign', nullif(campaign, ''), 'variant', nullif(variant, ''))) AS item
FROM message WHERE outbox IS NOT NULL;
