"""Bytes out: ranges, bodies, subtitles."""
