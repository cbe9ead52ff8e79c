"""The planner: a compiler from plans to execution maps, and the service over it."""
