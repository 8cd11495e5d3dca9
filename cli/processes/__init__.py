"""`update-sync worker`, `producer`, `scheduler`, and `all` of them."""
