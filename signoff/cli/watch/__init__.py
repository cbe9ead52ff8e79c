"""Follows an execution: `follow` is the loop, `reporters` and `screen` show it, `stall` says why nothing happens."""
