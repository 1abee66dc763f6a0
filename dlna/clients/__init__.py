"""TV families: one module each says how it is recognised, what it needs, and where that was seen."""
