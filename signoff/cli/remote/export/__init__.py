"""`signoff export`: all signed-off results of an execution in a folder, with names for people.

export    the command: which results, and one after the other into the folder
results   a result to export: its name, and the files that it becomes
folder    the folder: what an earlier export wrote there, what may be written over, what goes
"""
