"""Benchmarks: every claim of speed, beside a peer or a floor in the same run, as ratios."""
