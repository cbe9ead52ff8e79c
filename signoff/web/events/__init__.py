"""Server-sent events: `cursor`, `frames` of bytes, a `follower` for each execution, the `stream` of one client."""
