"""The worker: takes assignments from the runner, executes or validates, and reports."""
