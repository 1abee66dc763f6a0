"""Settings that an admin may change on the page, while everything runs."""
