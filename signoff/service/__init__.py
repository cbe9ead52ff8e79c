"""The frame of a service process: settings and start in `process`, then logs, the environment, garbage collection."""
