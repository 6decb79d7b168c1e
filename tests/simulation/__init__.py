"""Every order of things, from a seed: the real code of the kit and the services, over a world in memory."""
