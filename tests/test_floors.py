"""Floors: a room imports only from rooms below it, and the pure middle touches no file, clock, network or environment."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "policyengine"
FLOORS = {"core": 0, "signing": 1, "lang": 2, "evidence": 2, "controls": 2, "engine": 3, "decision": 4, "packs": 5,
          "outputs": 6, "demo": 7, "cli": 8}  # fmt: skip
PURE = ("core", "lang", "engine", "decision")
IMPURE_MODULES = {"os", "socket", "urllib", "http", "subprocess", "time", "random", "secrets", "tempfile", "shutil", "requests"}
READS_OWN_PACKAGE_DATA = {"core/vocabulary.py", "lang/parse.py", "decision/schema.py", "decision/verify.py"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}


def room(name: str) -> str:
    parts = name.split(".")
    return parts[1] if parts[0] == "policyengine" and len(parts) > 1 else ""


def test_every_room_has_a_floor() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert rooms == set(FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0]
    tree = ast.parse(path.read_text("utf-8"))
    for name in imported(tree):
        other = room(name)
        if other and other in FLOORS and own in FLOORS and other != own:
            assert FLOORS[other] < FLOORS[own], f"{path.name} in {own} (floor {FLOORS[own]}) imports {name}"


@pytest.mark.parametrize(
    "path",
    [p for p in MODULES if p.relative_to(PACKAGE).parts[0] in PURE],
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_the_middle_is_pure(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert not {name.split(".")[0] for name in imported(tree)} & IMPURE_MODULES
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = {f.id for f in calls if isinstance(f, ast.Name)} | {f.attr for f in calls if isinstance(f, ast.Attribute)}
    forbidden = {"open", "now", "today", "utcnow", "getenv", "eval", "exec", "__import__"}
    if path.relative_to(PACKAGE).as_posix() not in READS_OWN_PACKAGE_DATA:
        forbidden |= {"read_text", "read_bytes", "write_text", "write_bytes"}
    assert not named & forbidden, f"{path.name} calls {sorted(named & forbidden)}"
