"""Language models behind one port: what a worker asks of a model, and the adapters that ask it."""
