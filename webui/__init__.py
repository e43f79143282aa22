"""Panel, API, hooks: everything that speaks HTTP."""
