"""Floor 8, the door: the only room that knows arguments, terminals and the clock."""
