"""Makes the models of a process: settings reads a name and a file of presets, and make_model makes each model."""
