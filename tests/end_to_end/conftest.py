"""One gated demo with its defects, and one without, for the whole folder. Tests that change files work on copies."""

from __future__ import annotations

from pathlib import Path

import pytest
from gate_runs import AT_TEXT, Run, here, write_demo


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """Compiled policies are kept for this session only, never in the user's own cache."""
    patch = pytest.MonkeyPatch()
    patch.setenv("POLICYENGINE_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """The folder of `policyengine demo`, and what the command said."""
    folder = tmp_path_factory.mktemp("demo") / "made"
    return folder, here("demo", "--out", folder)


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """The same release with nothing wrong, gated."""
    folder = tmp_path_factory.mktemp("clean")
    return folder, here("gate", write_demo(folder, defects=False), "--at", AT_TEXT)
