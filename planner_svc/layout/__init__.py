"""The layout of a map on a screen (layout.py), without the edges that follow from others (reduction.py)."""
