"""What is done with runs, once for each time that it is asked for: start, cancel, resume, undo."""
