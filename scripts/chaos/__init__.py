"""`quartet chaos`: experiments that break a running stack under load, undo what they broke, and audit what is left.

Nothing of it is known to the services: faults come as signals to processes, through the network, through the broker's
and the provider's own interfaces, and from extra replicas that run beside the stack.
"""
