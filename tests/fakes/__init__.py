"""Stand-ins that speak as the real thing does."""
