"""What the fields of a plan mean, once for planner, runner, workers and clients.

formats    what an output format promises: "JSON: { title: string }", "CSV", "a Python script"
shapes     the shape in such a format, as JSON Schema
"""
