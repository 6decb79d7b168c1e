"""The experiments, by what they break. `ALL` is the catalogue, in the order in which `quartet chaos list` shows it."""

from scripts.chaos.experiments import events, network, outside, processes, queues, servers, windows

ALL = (
    *processes.EXPERIMENTS,
    *windows.EXPERIMENTS,
    *servers.EXPERIMENTS,
    *network.EXPERIMENTS,
    *queues.EXPERIMENTS,
    *events.EXPERIMENTS,
    *outside.EXPERIMENTS,
)
