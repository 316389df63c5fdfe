"""The HTTP edge: what holds for every route, so that no slice needs to know it."""
