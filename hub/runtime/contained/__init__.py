"""Work on foreign bytes, in worker processes: what spins, allocates or crashes there ends a worker, never the hub."""
