"""Values in a line or two: maps for the core, plans for real services, trees for the planner, results of validators."""
