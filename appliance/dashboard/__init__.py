"""The daemon's reports, read and passed on."""
