"""Dead letters: groups, details, replay, discard."""
