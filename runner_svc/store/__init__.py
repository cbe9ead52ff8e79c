"""Where journals, maps and contents are kept: one port, several stores."""
