"""The real broker: RabbitMQ. aio-pika publishes and declares, FastStream consumes and writes the AsyncAPI page."""
