"""`signoff graph`: the command (graph_plan), the drawn graph of a plan (picture), and its two forms (text, mermaid)."""
