"""Peers that misbehave, each in one way: what they send ends, stops and slows nothing."""
