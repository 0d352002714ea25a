"""From a copy on its route to the outcome at each destination."""
