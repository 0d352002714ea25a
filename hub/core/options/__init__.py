"""What options of a site's files may be: durations, sizes, times, limits, names made from facts."""
