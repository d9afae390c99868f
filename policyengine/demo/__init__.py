"""Floor 7: takes a seed, gives a synthetic release of a manufacturing system with its evidence."""
