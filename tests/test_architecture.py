"""The layers of docs/architecture.md hold: the imports are read from the source, not executed."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = [
    {"__main__"},
    {"cli"},
    {"commands", "printed_tables"},
    {"stages"},
    {"report", "export"},
    {"evaluation", "training"},
    {"policies"},
    {"objectives", "rollout"},
    {"encoders", "data"},
    {"runs"},
    {"config"},
    {"types", "errors", "resize"},
]
"""From the top down; a part imports only what lies below it, or itself."""
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
ENGINES = {"pybullet", "pybullet_data", "mujoco"}


def _modules(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def _imported(path: Path) -> Iterator[str]:
    """Yield the absolute names that a module imports, at its top or inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            # `from robossl import errors` imports the part robossl.errors
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _part(name: str) -> str | None:
    words = name.split(".")
    return words[1] if words[0] == "robossl" and len(words) > 1 and words[1] in LEVEL else None


@pytest.mark.parametrize("path", _modules(ROOT / "robossl"), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_robossl_imports_only_lower_layers_and_no_engine(path: Path) -> None:
    own = path.relative_to(ROOT / "robossl").parts[0].removesuffix(".py")
    for name in _imported(path):
        assert name.split(".")[0] not in ENGINES | {"robossl_envs"}, f"{path} imports {name}"
        part = _part(name)
        if part and own != "__init__":
            assert part == own or LEVEL[part] > LEVEL[own], f"{path} imports {name}, which does not lie below {own}"


@pytest.mark.parametrize("path", _modules(ROOT / "envs/robossl_envs"), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_envs_import_neither_torch_nor_robossl(path: Path) -> None:
    assert {name.split(".")[0] for name in _imported(path)}.isdisjoint({"torch", "robossl"})


def test_configurations_import_no_torch() -> None:
    for path in _modules(ROOT / "robossl/config"):
        assert "torch" not in {name.split(".")[0] for name in _imported(path)}, path


def test_every_part_has_its_layer() -> None:
    parts = {path.relative_to(ROOT / "robossl").parts[0].removesuffix(".py") for path in _modules(ROOT / "robossl")}
    assert parts - {"__init__"} <= LEVEL.keys()


def test_pip_chooses_where_packages_come_from() -> None:
    for path in [ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / ".ci/run"]:
        assert "index-url" not in path.read_text(), path
