"""What is there: files, folders, tags, search, scan, facts, probe, thumbnails, revision."""
