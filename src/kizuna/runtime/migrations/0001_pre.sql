-- The whole of the first schema. Instants are bigint microseconds in UTC; ids are 16 bytes.

-- accounts -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION real_now() RETURNS bigint  -- what ages by real time also in a workspace with a test clock
    LANGUAGE sql VOLATILE RETURN (extract(epoch FROM clock_timestamp()) * 1e6)::bigint;

CREATE TABLE installation (               -- one row: what is fixed at install
    only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    partitions    smallint NOT NULL,
    secret        bytea NOT NULL,         -- signs links; KIZUNA_SECRET overrides
    setup_hash    bytea,                  -- of the one-time set-up token; NULL once an owner exists
    created_at    bigint NOT NULL
);

CREATE TABLE workspace (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    clock         text NOT NULL CHECK (clock IN ('live', 'test')),
    now           bigint,                 -- of a test clock; NULL when live
    zone          text NOT NULL,
    currency      text NOT NULL,
    consent       text NOT NULL CHECK (consent IN ('opt_out', 'opt_in')),
    program       integer NOT NULL DEFAULT 0,  -- newest program version published
    created_at    bigint NOT NULL
);

CREATE TABLE api_key (
    hash          bytea PRIMARY KEY,      -- sha256 of the key; the key itself is never stored
    workspace     integer NOT NULL REFERENCES workspace,
    id            text NOT NULL UNIQUE,
    role          text NOT NULL CHECK (role IN ('owner', 'editor', 'analyst', 'agent', 'ingest')),
    created_at    bigint NOT NULL,
    revoked_at    bigint
);

CREATE TABLE member (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text NOT NULL UNIQUE,   -- lower case
    name          text NOT NULL,
    password      text NOT NULL,          -- argon2id
    role          text NOT NULL,
    workspace     integer REFERENCES workspace,  -- NULL: every workspace of the installation
    created_at    bigint NOT NULL
);

CREATE TABLE session (
    hash          bytea PRIMARY KEY,
    member        integer NOT NULL REFERENCES member ON DELETE CASCADE,
    created_at    bigint NOT NULL,
    used_at       bigint NOT NULL
);

CREATE TABLE sign_in_attempt (
    subject       text NOT NULL,          -- account or address tried
    at            bigint NOT NULL
);
CREATE INDEX sign_in_attempt_recent ON sign_in_attempt (subject, at);

CREATE TABLE idempotency (
    workspace     integer NOT NULL,
    key           text NOT NULL,
    request       bytea NOT NULL,         -- hash of method, path and body
    status        integer NOT NULL,
    position      text,
    body          bytea NOT NULL,
    at            bigint NOT NULL,
    PRIMARY KEY (workspace, key)
);

-- definitions --------------------------------------------------------------------------------------------------------

CREATE TABLE definition (                 -- immutable versions; a program is the set that rules at one program version
    workspace     integer NOT NULL,
    kind          text NOT NULL,
    name          text NOT NULL,
    version       integer NOT NULL,
    status        text NOT NULL,
    body          jsonb NOT NULL,
    introduced    integer NOT NULL,       -- program version
    retired       integer,                -- program version
    published_at  bigint NOT NULL,
    PRIMARY KEY (workspace, kind, name, introduced)
);

CREATE TABLE draft (                      -- stored, not yet published
    workspace     integer NOT NULL,
    kind          text NOT NULL,
    name          text NOT NULL,
    body          jsonb NOT NULL,
    at            bigint NOT NULL,
    PRIMARY KEY (workspace, kind, name)
);

-- the log ------------------------------------------------------------------------------------------------------------

CREATE SEQUENCE position;                 -- one number for each outside write; what follows carries it as root

CREATE TABLE log_head (
    workspace     integer NOT NULL,
    partition     smallint NOT NULL,
    "offset"      bigint NOT NULL DEFAULT 0,   -- of the newest row
    at            bigint NOT NULL DEFAULT 0,   -- of the newest row; never falls
    applied       bigint NOT NULL DEFAULT 0,   -- newest row folded
    batch         bigint NOT NULL DEFAULT 0,   -- counts the owner's commits: the fence against a second owner
    program       integer NOT NULL DEFAULT 0,  -- program version that rules after the newest row folded
    archived      bigint NOT NULL DEFAULT 0,   -- newest row the lake holds; the lake's own word rules
    PRIMARY KEY (workspace, partition)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE log (
    workspace     integer NOT NULL,
    partition     smallint NOT NULL,
    "offset"      bigint NOT NULL,
    at            bigint NOT NULL,
    root          bigint NOT NULL,
    kind          smallint NOT NULL,      -- 0 items, 1 facts already applied, 2 tick, 3 publish
    items         integer NOT NULL,
    keys          bytea NOT NULL,         -- 8 bytes of each profile id, for erasure
    body          bytea NOT NULL,
    PRIMARY KEY (workspace, partition, "offset")
);
ALTER TABLE log ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE duplicate (                  -- items of the log that were not applied: the lake leaves them out
    workspace     integer NOT NULL,
    partition     smallint NOT NULL,
    "offset"      bigint NOT NULL,
    index         integer NOT NULL,
    PRIMARY KEY (workspace, partition, "offset", index)
);

CREATE TABLE seen (                       -- messageIds of the last 90 days
    workspace     integer NOT NULL,
    id            bytea NOT NULL,
    at            bigint NOT NULL,
    PRIMARY KEY (workspace, id)
);
CREATE INDEX seen_age ON seen USING brin (at);

CREATE TABLE rejected (
    workspace     integer NOT NULL,
    id            bigint GENERATED ALWAYS AS IDENTITY,
    at            bigint NOT NULL,
    code          text NOT NULL,
    message       text NOT NULL,
    source        text NOT NULL,
    body          bytea NOT NULL,
    PRIMARY KEY (workspace, id)
);

CREATE TABLE catalogue (                  -- event names as seen
    workspace     integer NOT NULL,
    event         text NOT NULL,
    type          text NOT NULL,
    properties    jsonb NOT NULL DEFAULT '{}',
    first_at      bigint NOT NULL,
    PRIMARY KEY (workspace, event, type)
);

-- records ------------------------------------------------------------------------------------------------------------

CREATE TABLE profile (
    workspace     integer NOT NULL,
    id            bytea NOT NULL,
    partition     smallint NOT NULL,
    created_at    bigint NOT NULL,
    last_seen_at  bigint NOT NULL,
    wake_at       bigint,
    merged_into   bytea,                  -- a pointer: the record lives there
    traits        jsonb NOT NULL DEFAULT '{}',
    profiles      bytea,
    consent       bytea,
    segments      bytea,
    journeys      bytea,
    campaigns     bytea,
    messages      bytea,
    PRIMARY KEY (workspace, id)
) WITH (fillfactor = 60);
ALTER TABLE profile
    ALTER COLUMN profiles SET STORAGE EXTERNAL, ALTER COLUMN consent SET STORAGE EXTERNAL,
    ALTER COLUMN segments SET STORAGE EXTERNAL, ALTER COLUMN journeys SET STORAGE EXTERNAL,
    ALTER COLUMN campaigns SET STORAGE EXTERNAL, ALTER COLUMN messages SET STORAGE EXTERNAL;
CREATE INDEX profile_wake ON profile (workspace, partition, wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX profile_partition ON profile (workspace, partition, id);
-- An index entry holds 2,704 bytes, and what customers call an address may be longer: its beginning is enough.
CREATE INDEX profile_email ON profile (workspace, lower(left(traits ->> 'email', 320))) WHERE traits ? 'email';
CREATE INDEX profile_phone ON profile (workspace, left(traits ->> 'phone', 320)) WHERE traits ? 'phone';

CREATE TABLE parked (                     -- poisonous profiles: their later items queue in order
    workspace     integer NOT NULL,
    profile       bytea NOT NULL,
    partition     smallint NOT NULL,
    "offset"      bigint NOT NULL,
    index         integer NOT NULL,
    at            bigint NOT NULL,
    root          bigint NOT NULL,
    item          bytea NOT NULL,
    error         text NOT NULL,
    PRIMARY KEY (workspace, profile, partition, "offset", index)
);

CREATE TABLE counter (                    -- slot: the worker that counts, so that no two contend; read as a sum
    workspace     integer NOT NULL,
    name          text NOT NULL,
    slot          smallint NOT NULL,
    value         bigint NOT NULL,
    PRIMARY KEY (workspace, name, slot)
) WITH (fillfactor = 50);

CREATE TABLE membership (
    workspace     integer NOT NULL,
    segment       text NOT NULL,
    profile       bytea NOT NULL,
    entered_at    bigint NOT NULL,
    PRIMARY KEY (workspace, segment, profile)
);

CREATE TABLE fill (                       -- backfills asked for by a publish
    workspace     integer NOT NULL,
    program       integer NOT NULL,
    root          bigint NOT NULL,
    offsets       bigint[] NOT NULL,      -- of the publish rows by partition: history before them counts
    kind          text NOT NULL,          -- of the definition published
    state         text NOT NULL,          -- waiting, done
    PRIMARY KEY (workspace, program)
);

-- messages -----------------------------------------------------------------------------------------------------------

CREATE TABLE message (
    workspace     integer NOT NULL,
    id            bytea NOT NULL,         -- derived from (purpose, profile, occurrence, channel)
    profile       bytea NOT NULL,
    state         text NOT NULL,
    channel       text NOT NULL,
    purpose       text NOT NULL,          -- journey:name:step, campaign:name, api
    occurrence    text NOT NULL,          -- the run, the launch
    journey       text,
    run           text,
    step          text,
    campaign      text,
    variant       text,
    template      text,
    template_version integer,
    topic         text,
    transactional boolean NOT NULL DEFAULT false,
    data          jsonb NOT NULL DEFAULT '{}',
    event         bytea,                  -- JSON of the entry event, for the template
    planned_at    bigint NOT NULL,
    due_at        bigint NOT NULL,
    expires_at    bigint NOT NULL,
    root          bigint NOT NULL,
    lease_until   bigint,                 -- real time
    fence         bigint NOT NULL DEFAULT 0,
    attempts      integer NOT NULL DEFAULT 0,
    provider      text,
    address       text,
    reason        text,
    caused_by     text,
    history       jsonb NOT NULL DEFAULT '[]',  -- [{state, at}]
    PRIMARY KEY (workspace, id)
) WITH (fillfactor = 60);
CREATE INDEX message_open ON message (workspace, root) WHERE state IN ('planned', 'claimed', 'handed');
CREATE INDEX message_of_profile ON message (workspace, profile);
CREATE INDEX message_of_run ON message (workspace, run) WHERE journey IS NOT NULL;

CREATE TABLE launch (                     -- of campaigns: each is made once, in the commit that says it to the members
    workspace     integer NOT NULL,
    id            bytea NOT NULL,         -- derived from the campaign and the Idempotency-Key
    campaign      text NOT NULL,
    members       integer NOT NULL,
    position      bigint NOT NULL,
    PRIMARY KEY (workspace, id)
);

CREATE TABLE message_content (
    workspace     integer NOT NULL,
    message       bytea NOT NULL,
    subject       text,
    body          text NOT NULL,
    links         jsonb NOT NULL DEFAULT '[]',  -- click redirects go to these only
    PRIMARY KEY (workspace, message)
);

CREATE TABLE outbox (                     -- what the built-in sink received
    workspace     integer NOT NULL,
    id            bigint GENERATED ALWAYS AS IDENTITY,
    message       bytea NOT NULL,
    at            bigint NOT NULL,
    item          jsonb NOT NULL,
    PRIMARY KEY (workspace, id)
);
CREATE INDEX outbox_newest ON outbox (workspace, at, id);

CREATE TABLE veto (                       -- opt-outs accepted, not yet folded: every claim reads them
    workspace     integer NOT NULL,
    profile       bytea NOT NULL,
    id            text NOT NULL,          -- of the log item that the fold will take
    channel       text NOT NULL,
    topic         text NOT NULL DEFAULT '',
    PRIMARY KEY (workspace, profile, id)
);

CREATE TABLE suppression (
    workspace     integer NOT NULL,
    channel       text NOT NULL,
    address       text NOT NULL,          -- lower case
    reason        text NOT NULL,
    at            bigint NOT NULL,
    PRIMARY KEY (workspace, channel, address)
);

-- the lake -----------------------------------------------------------------------------------------------------------

CREATE TABLE lake_mark (                  -- what the lake held at an hour of real time: log rows go seven days later
    workspace     integer NOT NULL,
    at            bigint NOT NULL,        -- real time, whatever the workspace's clock
    partitions    smallint[] NOT NULL,
    offsets       bigint[] NOT NULL,
    PRIMARY KEY (workspace, at)
);
