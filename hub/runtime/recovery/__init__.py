"""What becomes of what failed, waits or was lost: retries, holds, dead letters, replays, rebuilding."""
