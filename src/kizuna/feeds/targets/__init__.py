"""Where feeds lead, one file a target."""
