"""One module for each family of figures: how its sides are measured, and what is compared with what."""
