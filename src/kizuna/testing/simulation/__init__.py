"""A deterministic simulator: from a seed a story of customers, crashes and clocks, then every invariant is asked."""
