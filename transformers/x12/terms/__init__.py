"""The X12 terms of a partner: overlays, and what a sample file shows of them."""
