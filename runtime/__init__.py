"""How threads of one process share a piece of work; knows nothing of users, and no other room."""
