"""Who may enter: users, roles, sessions, tokens."""
