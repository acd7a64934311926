"""Arms: what they are, and how an action in [-1, 1] becomes joint targets."""
