"""docs/reference/performance.md and its charts, drawn from results. What people wrote between the tables stays."""
