"""`python -m benchmarks.dance`: what one order costs, and how fast orders settle, over a real broker and database.

Orders are placed in the order service's own process, the provider and the mail server are answered in process; the
four services, PostgreSQL and RabbitMQ are real and are nobody else's. `benchmarks.load` measures the same over HTTP.
"""
