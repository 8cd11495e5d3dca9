"""What the pages say where something is done: what is asked, and why something was refused."""
