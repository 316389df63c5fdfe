"""The log from outside: what comes in, when it is settled, what was refused, and the workspace's clock."""
