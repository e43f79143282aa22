"""The panel's counterpart in tests: a real HTTP and Socket.IO server with canned answers."""
