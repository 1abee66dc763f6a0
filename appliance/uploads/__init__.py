"""Bytes in: tus and multipart, scan hook, publish by rename."""
