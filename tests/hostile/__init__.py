"""Peers that misbehave, each in one way: nothing they send ends, stops or slows a service."""
