"""The composition root: what is started, in which order, top to bottom; stopped bottom to top."""
