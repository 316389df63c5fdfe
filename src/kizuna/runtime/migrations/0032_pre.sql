-- Test sends, and copies for seeds, are marked in the built-in outbox as providers mark them.

CREATE OR REPLACE VIEW outbox AS
SELECT workspace, outbox AS id, id AS message, outbox_at AS at,
    jsonb_build_object(
        'message_id', 'msg_' || encode(id, 'hex'),
        'profile', 'prf_' || encode(coalesce(recipient, profile), 'hex'),
        'channel', channel, 'to', address, 'subject', subject, 'body', body,
        'headers', jsonb_build_object(
            'To', address, 'Subject', subject, 'Message-ID', '<msg_' || encode(id, 'hex') || '@kizuna.invalid>')
            || CASE WHEN unsubscribe IS NULL THEN '{}' ELSE jsonb_build_object(
                'List-Unsubscribe', '<' || unsubscribe || '>',
                'List-Unsubscribe-Post', 'List-Unsubscribe=One-Click') END
            || CASE WHEN purpose = 'test' THEN jsonb_strip_nulls(jsonb_build_object(
                'X-Kizuna-Test', 'yes', 'X-Kizuna-Seed', data #>> '{kizuna_test,of,launch}')) ELSE '{}' END,
        'template', template, 'step', step)
    || jsonb_strip_nulls(jsonb_build_object(
        'journey', nullif(journey, ''), 'campaign', nullif(campaign, ''), 'variant', nullif(variant, ''))) AS item
FROM message WHERE outbox IS NOT NULL;

-- What an item of a catalog says, to be compared with a file; NULL of those written before.
ALTER TABLE catalog_item ADD COLUMN digest bytea;
