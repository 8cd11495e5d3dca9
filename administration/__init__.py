"""What an administrator or operator can ask for, as functions over values; nothing is printed here."""
