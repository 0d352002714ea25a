"""Floor 2: message brokers. `RabbitBroker` speaks AMQP 0-9-1, `EmbeddedBroker` keeps its queues in one SQLite file;
both keep every promise of `hub.core.broker.Broker`, and one contract suite says so. The composition root picks the
class."""
