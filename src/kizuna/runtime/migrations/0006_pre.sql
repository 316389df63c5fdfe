-- Uploaded lists as segments: the entries as they were resolved, so that a later upload knows the difference.

CREATE TABLE segment_list (
    workspace     integer NOT NULL,
    list          text NOT NULL,          -- the id that the segment's rule names
    profile       bytea NOT NULL,         -- as resolved at the upload; records joined later carry their entries along
    PRIMARY KEY (workspace, list, profile)
);
