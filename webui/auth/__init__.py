"""Users, tokens, sessions, rights."""
