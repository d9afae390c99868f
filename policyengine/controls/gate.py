"""The gate table: what an outcome does to a release, by row (a severity). Profiles tighten it (language standard 4.5)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from policyengine.core.diagnostic import Diagnostic, Refusal, nearest

ROWS = ("critical", "major", "minor", "observation")
COLUMNS = ("error", "fail", "unknown", "not_yet_due", "waived")


class Effect(StrEnum):
    """What a rule does to the release, mildest first. ``none`` belongs to pass and not applicable alone."""

    NONE = "none"
    RECORD = "record"
    WARN = "warn"
    BLOCK = "block"

    @property
    def strictness(self) -> int:
        return tuple(Effect).index(self)


GateTable = Mapping[str, Mapping[str, Effect]]

_BLOCKING = {"error": Effect.BLOCK, "fail": Effect.BLOCK, "unknown": Effect.BLOCK,
             "not_yet_due": Effect.WARN, "waived": Effect.WARN}  # fmt: skip
DEFAULT_GATE: GateTable = {
    "critical": _BLOCKING,
    "major": _BLOCKING,
    "minor": {
        "error": Effect.BLOCK,
        "fail": Effect.WARN,
        "unknown": Effect.WARN,
        "not_yet_due": Effect.WARN,
        "waived": Effect.RECORD,
    },
    "observation": {
        "error": Effect.WARN,
        "fail": Effect.RECORD,
        "unknown": Effect.RECORD,
        "not_yet_due": Effect.WARN,
        "waived": Effect.RECORD,
    },
}


def strictest(effects: list[Effect]) -> Effect:
    """The strictest of several; of none: ``none``."""
    return max(effects, key=lambda effect: effect.strictness, default=Effect.NONE)


def with_overrides(overrides: object, file: str) -> GateTable:
    """The default table with a profile's cells in it, ``{severity: {outcome: record|warn|block}}``.

    Any cell may be tightened. A critical row and any ``error`` cell are never loosened; a looser cell elsewhere is accepted and
    shows as a relaxation in every decision. Raises :class:`Refusal` (PE810) otherwise, naming all cells that are wrong.
    """
    problems: list[Diagnostic] = []

    def wrong(pointer: str, message: str, hint: str = "") -> None:
        problems.append(Diagnostic("PE810", message, file=file, pointer=pointer, hint=hint))

    table = {row: dict(DEFAULT_GATE[row]) for row in ROWS}
    if not isinstance(overrides, Mapping):
        raise Refusal(Diagnostic("PE810", "the gate table is not a mapping", file=file, pointer="/gate",
                                 hint="write `gate: {minor: {fail: block}}`"))  # fmt: skip
    for row, cells in overrides.items():
        if row not in table:
            close = nearest(str(row), ROWS)
            wrong(f"/gate/{row}", f"`{row}` is not a row of the gate table", _meant(close, ROWS))
            continue
        if not isinstance(cells, Mapping):
            wrong(f"/gate/{row}", f"row `{row}` is not a mapping of outcomes")
            continue
        for column, word in cells.items():
            pointer = f"/gate/{row}/{column}"
            if column not in COLUMNS:
                wrong(
                    pointer, f"`{column}` is not an outcome of the gate table", _meant(nearest(str(column), COLUMNS), COLUMNS)
                )
            elif word not in ("record", "warn", "block"):
                wrong(pointer, f"`{word}` is not an effect", "write `record`, `warn` or `block`")
            else:
                effect, default = Effect(word), DEFAULT_GATE[row][column]
                if effect.strictness < default.strictness and (row == "critical" or column == "error"):
                    what = "the critical row" if row == "critical" else "an error"
                    wrong(pointer, f"`{word}` loosens {what} (`{default.value}`)", "this cell may be tightened, never loosened")
                table[row][column] = effect
    if problems:
        raise Refusal(*problems)
    return table


def loosened_cells(table: GateTable) -> tuple[tuple[str, str, Effect, Effect], ...]:
    """Cells that are milder than the default: (row, outcome, default, now), in table order."""
    return tuple(
        (row, column, DEFAULT_GATE[row][column], table[row][column])
        for row in ROWS
        for column in COLUMNS
        if table[row][column].strictness < DEFAULT_GATE[row][column].strictness
    )


def _meant(close: str | None, known: tuple[str, ...]) -> str:
    return f"did you mean `{close}`?" if close else f"one of {', '.join(known)}"
