"""signoff as its users start it: planner, runner and workers in processes of their own, everything at its default."""
