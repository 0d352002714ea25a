"""Transaction sets as data: segments, elements, codes, and where each field of a document stands."""
