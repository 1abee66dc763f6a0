"""Play on a TV: DLNA and Cast as one kind of player."""
