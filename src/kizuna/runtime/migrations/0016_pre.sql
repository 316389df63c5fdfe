-- Replies to SMS: who was written to at a number.

CREATE INDEX message_of_phone ON message (workspace, address) WHERE channel = 'sms';
