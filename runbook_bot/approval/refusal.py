"""How one of the gate's checks says no, inside this room."""


class Refused(Exception):
    """Becomes a `Denial`: one word for programs, one line for the person who pressed."""

    def __init__(self, code: str, why: str, *, ends: bool = False) -> None:
        super().__init__(why)
        self.code = code
        self.why = why
        self.ends = ends
        """The proposal is closed by it, and cannot be approved later."""
