"""Follows an execution to its end.

    follow        the loop: every message of a watch, until nothing can go on
    reporters     three ways to show it: a screen, lines, JSON
    screen        one frame of the screen
    task_lines    lines of a frame about single tasks: failures first
    stall         says why nothing happens
    written       waits until the results lie on the disk

A message passes through the view (signoff.client.view), and the reporter shows the view. What more a frame is to show
goes into `screen` or `task_lines`, which are functions of the view alone.
"""
