"""The kinds of deterministic checks, one function each: they return when the candidate passes, and raise otherwise."""
