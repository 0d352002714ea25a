"""What all commands share: the site, lazy imports, output, and the answer when nothing matches."""
