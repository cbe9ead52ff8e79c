"""All services of one machine: `child` is one process, `services` runs them together, `sharing` shares them."""
