"""`update-sync hub`: the Data Hub's server and its members."""
