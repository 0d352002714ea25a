"""The program of a worker process: `python -m hub.runtime.contained DESCRIPTOR PARENT`."""

from hub.runtime.contained.child import main

main()
