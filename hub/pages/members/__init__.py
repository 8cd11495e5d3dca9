"""Members of the Data Hub, for those who may invite, change and remove them."""
