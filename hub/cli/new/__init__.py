"""`hub new`: a plug-in of somebody's own, as a distribution. Its files are templates in `templates/`."""
