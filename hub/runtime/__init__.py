"""Floor 3: intake, route worker, recoverability, keeper, holds, replay, reload, supervision."""
