"""Archives of a data directory: `signoff backup` writes one while the runner works, `signoff restore` opens one.

    archive    the tar file: its members, and a manifest with the SHA-256 of each
    backup     writes one, under its name only once it is whole
    restore    checks one, and fills a new data directory, or a database, from it

An archive does not depend on the kind of store: what was kept in SQLite can be restored into PostgreSQL, and back.
"""
