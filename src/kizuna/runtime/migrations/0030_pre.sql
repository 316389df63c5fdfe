-- What was told from outside is forgotten by its age.

CREATE INDEX told_age ON told USING brin (at);
