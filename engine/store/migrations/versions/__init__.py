"""One file a schema revision, in order of their numbers."""
