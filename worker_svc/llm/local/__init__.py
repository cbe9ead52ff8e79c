"""A model on this machine: model is the port's side, child the process that serves the weights."""
