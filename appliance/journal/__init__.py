"""What happened: access_log, spans, pings, positions, the feed to the daemon."""
