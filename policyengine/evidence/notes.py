"""What a reader meets on its way through one file: problems that refuse it, warnings and assumptions that are shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from policyengine.core.diagnostic import Diagnostic, Refusal

LISTED = 20


@dataclass(slots=True)
class Notes:
    """Of the file ``name``. Problems are gathered, so that one run tells them all, and raised by :meth:`refuse`."""

    name: str
    problems: list[Diagnostic] = field(default_factory=list)
    further: int = 0
    warnings: list[str] = field(default_factory=list)
    assumptions: set[str] = field(default_factory=set)

    def wrong(self, code: str, pointer: str, message: str, hint: str = "") -> None:
        if len(self.problems) < LISTED:
            self.problems.append(Diagnostic(code, message, file=self.name, pointer=pointer, hint=hint))
        else:
            self.further += 1

    def warn(self, pointer: str, words: str) -> None:
        self.warnings.append(f"{pointer}: {words}")

    def assume(self, words: str) -> None:
        self.assumptions.add(f"{self.name}: {words}")

    def refuse(self) -> None:
        """Raises :class:`Refusal` where a problem was found."""
        if self.problems:
            more = [Diagnostic(self.problems[-1].code, f"and {self.further} more", file=self.name)] if self.further else []
            raise Refusal(*self.problems, *more)

    def shown_warnings(self) -> tuple[str, ...]:
        """The first twenty, then how many there are beside them."""
        rest = len(self.warnings) - LISTED
        return (*self.warnings[:LISTED], *([f"and {rest} more"] if rest > 0 else ()))
