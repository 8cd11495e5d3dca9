"""Dead letters as members of the Data Hub work them off."""
