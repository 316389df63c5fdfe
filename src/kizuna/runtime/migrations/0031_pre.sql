-- One event may opt out of several topics.

ALTER TABLE veto DROP CONSTRAINT veto_pkey, ADD PRIMARY KEY (workspace, profile, id, channel, topic);
