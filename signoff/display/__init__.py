"""Values of the wire in words for people: names and times, verdicts, inputs that were not read."""
