"""Facts, conditions over them, routes, and the table that finds the routes of a document."""
