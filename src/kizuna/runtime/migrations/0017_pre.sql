-- Who is the friend that LINE speaks of.

CREATE INDEX profile_line ON profile (workspace, left(traits ->> 'line_id', 320)) WHERE traits ? 'line_id';
