"""Values of the wire and texts in words for people: names and times, verdicts, unread inputs, hidden characters."""
