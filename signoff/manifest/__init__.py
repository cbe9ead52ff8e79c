"""Results of several files: their manifest, the rules for their paths, and the patterns that name them.

A candidate that is more than one content is a manifest: a text that names each file with its media type, size and
digest. Everything that handles candidates handles the manifest as it handles any content; only who wants the files
themselves reads it.

    manifest.py   the manifest, and its form in JSON
    patterns.py   patterns such as "charts/*.png"
    media_types.py   which files are texts, and which are pictures
"""
