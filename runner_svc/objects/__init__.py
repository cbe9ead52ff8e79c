"""The object store: the bytes of contents that are too large for the journal's database.

    port      its promises; one conformance suite runs over all kinds
    folder    a folder of the data directory, which is the default
    bucket    S3, and what else obstore speaks to, by a URL
    choice    the one that a setting names

The store of the journal knows each content and its size. An object is put before the row that tells of it, and removed
after that row. So all that a death in between can leave behind is an object without a row; the next start removes it.
"""
