"""Users of Entra and of Skolon, and their attributes."""
