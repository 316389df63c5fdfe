-- How many messages a provider was handed on each local day, where a plan or a limit asks for it.

CREATE TABLE sent_on (
    workspace   integer NOT NULL,
    provider    text NOT NULL,
    day         date NOT NULL,                       -- in the workspace's zone
    domain      text NOT NULL,                       -- of the addresses, where it is limited; '': all of them
    count       bigint NOT NULL,
    PRIMARY KEY (workspace, provider, day, domain)
);
