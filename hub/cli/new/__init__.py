"""`hub new plugin`: a plug-in of somebody's own, as a distribution, and the texts that it is made of."""
