"""Notification: tells the customer what became of the order, once of each kind."""
