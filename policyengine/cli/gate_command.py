"""``policyengine gate`` as CI calls it: options read from their table, the clock read once."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from datetime import UTC, datetime

from policyengine.cli.gate import run_gate
from policyengine.cli.options import read_options
from policyengine.cli.request import request_of


def gate(arguments: Sequence[str]) -> int:
    """Run the gate. The cyclic collector is off: a run builds frozen data, drops it and ends, so it would only look in vain."""
    gc.disable()
    positional, given = read_options(arguments)
    return run_gate(request_of(positional, given), datetime.now(UTC).replace(microsecond=0))
