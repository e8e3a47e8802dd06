"""Select, train, score: every run made once."""
