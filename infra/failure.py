"""What goes wrong in a way that a person can act on."""


class StackError(Exception):
    """What a person can act on: one sentence, and perhaps the lines of a log that explain it."""

    def __init__(self, sentence: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.lines = lines
