"""RabbitMQ: AMQP 0-9-1 on aiormq's connection (decision 17), epoch after epoch."""
