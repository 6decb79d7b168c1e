"""How often Python's garbage collector looks for cycles in a process that lasts."""

import gc

YOUNG_OBJECTS, YOUNG_ROUNDS, MIDDLE_ROUNDS = 50_000, 20, 50


def freeze_what_stays() -> None:
    """Tell Python's garbage collector that all there is by now stays, and to look less often at what comes.

    Its defaults are for small scripts: every 700 new objects it looks for cycles among them, and a batch makes
    thousands that live until its commit and hold none. See `gc.freeze` and `gc.set_threshold`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_ROUNDS, MIDDLE_ROUNDS)
