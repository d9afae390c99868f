"""Named bytes to documents: each file is parsed once, and what is judged are the bytes whose digest is recorded.

Published formats are recognised by their content (:mod:`registry`); what a site exports itself is declared in its
configuration (:mod:`mapping`).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from policyengine.core.diagnostic import Diagnostic, Refusal
from policyengine.core.vocabulary import vocabulary
from policyengine.evidence.declaration import Declaration
from policyengine.evidence.document import Document
from policyengine.evidence.files import SourceFile
from policyengine.evidence.registry import Reading, recognised

__all__ = ["Reading", "load"]


def load(files: Sequence[SourceFile], declared: Sequence[tuple[SourceFile, Declaration]], reading: Reading,
         progress: Callable[[str], None] | None = None) -> tuple[Document, ...]:  # fmt: skip
    """The documents of all files, in their order. Files that cannot be read as what they claim to be are refused together.

    Raises :class:`Refusal` (PE4xx, exit 2). The cyclic collector rests meanwhile: plain data has no cycles, and walking it
    again and again would take most of the time.
    """
    documents: list[Document] = []
    problems: list[Diagnostic] = []
    jobs: list[tuple[str, Callable[[], Iterable[Document]]]] = [
        (file.name, partial(recognised, file, reading)) for file in files
    ]
    jobs += [(file.name, partial(_mapped, file, declaration)) for file, declaration in declared]
    collecting = gc.isenabled()
    gc.disable()
    try:
        for name, job in jobs:
            if progress is not None:
                progress(name)
            try:
                documents += job()
            except Refusal as refusal:
                problems += refusal.diagnostics
    finally:
        if collecting:
            gc.enable()
    if problems:
        raise Refusal(*problems)
    return tuple(documents)


def _mapped(file: SourceFile, declaration: Declaration) -> tuple[Document, ...]:
    from policyengine.evidence.mapping import read_mapped

    return (read_mapped(file.raw, file.name, declaration, vocabulary()),)
