"""The layout of a map on a screen: the grid and the tree of before, and the drawn graph.

Nouns: an `Edge` leads from what comes first to what waits; either end may be a group. A class is a run of equal tasks:
they are in one group, and their edges are the same. The drawn graph has a node for each class, a box around each group,
and edges between nodes and boxes, so that all-to-all stages take a few edges and not a million.

    layout.py       the whole: grid, tasks without edges, tree, edges, drawn graph
    reduction.py    the edges without those that follow from others
    drawn.py        the drawn graph, from the classes to the better of the orders
    outline.py      its nodes and boxes before they have rows, and the classes
    sweeps.py       the order of each stage by barycentres, forward and backward
    places.py       an order becomes rows: no two nodes share a cell, no two boxes overlap
    crossings.py    how many edges of an order cross

An execution map goes through reduction.py to edges, through outline.py to what is drawn, and in each order that
sweeps.py proposes through places.py; the order with the fewest crossings stays. Everything is in node numbers;
wire/layouts.py turns them into ids. A new order to try is a case in drawn.py.
"""
