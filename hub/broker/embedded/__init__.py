"""The embedded broker: queues in one SQLite file, owned by one process; and the way from there to RabbitMQ."""
