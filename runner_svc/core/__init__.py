"""The core: signals in, events and commands out. No clock, no chance, no sockets, no database."""
