"""What people ask for: the query language and its index."""
