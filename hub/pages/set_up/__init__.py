"""Setting up a sync: an operator adds the organisation, its administrator connects it to Entra."""
