"""The real engine, services and workers in virtual time, over a network and a disk that misbehave by a seed."""
