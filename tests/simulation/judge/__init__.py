"""The judge of a world: the witness checks the state after each turn, the ledger each row of the journal by itself."""
