"""The Quart app: the access table, errors to status, OpenAPI, live events."""
