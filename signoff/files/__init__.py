"""Files: written atomically, written safely below a folder, and the names in a data directory.

    data_directory   the names of what signoff keeps in a data directory
    writing          a path that a person named: atomically, through links, or into a device or a pipe
    folders          below a folder, by names that come from outside: no link leads out of it
    trees            folders there that take the place of others as a whole
    notes            small files that signoff keeps for itself, and what may stand in their place

A name that a plan, a worker or an archive has chosen goes through `folders`, never through `writing`.
"""
