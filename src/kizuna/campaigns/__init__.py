"""One message to the members of one segment: definition, launch, and its part of the fold."""
