"""`python -m hub` is `hub`."""

from hub.main import main

main()
