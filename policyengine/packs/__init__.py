"""Floor 5: takes policy folders, gives a library of compiled policies and the results of their tests."""
