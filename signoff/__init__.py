"""signoff: runs plans, and lets nothing count until it is signed off."""
