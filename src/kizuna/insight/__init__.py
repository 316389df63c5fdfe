"""Questions asked of the lake: metrics, retention, funnels, messages, lifetime value, the overview."""
