"""Input and peers that mean no good."""
