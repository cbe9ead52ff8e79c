"""Files: written atomically, written safely below a folder, and the names in a data directory."""
