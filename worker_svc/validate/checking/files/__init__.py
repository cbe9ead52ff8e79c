"""Checks of files and of contents that are no text, one function for each kind.

A check function takes the plan's Check and the file that it looks at (looked_at.LookedAt). Like all check functions, it
returns when the file passes, and raises CheckFailed or CheckBroken otherwise. It reads the file piece by piece. Files
are hostile until they have been looked at: every function bounds what it decodes by what really comes out of the file,
whatever the headers in it claim, and no bytes make it raise anything else (`hostile` in hostile.py).

    size          the size in bytes
    media_type    the kind of a file, told by its bytes: `signatures` for binary files, `texts` for those that are text
    image         pictures: their size, and whether they are whole and not blank
    table         CSV and TSV: the head and its rows; `columns` has what the values of one column must be
    archive       archives that unpack without harm: `zip_members` and `tar_members` read them, `members` has the rules
    hostile       turns the errors of decoders into reasons
"""
