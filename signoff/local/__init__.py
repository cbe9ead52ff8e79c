"""All services of one machine: a `child` process, the `services`, `sharing` them, and the `door` with the page."""
