"""One module for each group of figures: how both sides are measured, and what is compared."""
