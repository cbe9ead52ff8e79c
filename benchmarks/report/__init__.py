"""docs/reference/performance.md and its charts, drawn from results. The text between the tables stays."""
