"""The layout shows the architecture; these tests keep it so."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = [
    "models",
    "accounts",
    "api",
    "devices",
    "messages",
    "studios",
    "scheduler",
    "monitoring",
    "reports",
    "simulation",
    "demonstration",
    "operation",
]
# What each part may import, of the parts; `app` may import all. config and errors are open to every part above models.
MAY_IMPORT = {
    "models": set(),
    "accounts": {"models"},
    "api": {"models", "accounts"},
    "devices": {"models"},
    "messages": {"models", "accounts", "devices"},
    "studios": {"models", "accounts", "api", "devices", "messages"},
    "scheduler": {"models", "accounts", "devices", "messages", "studios"},
    "monitoring": {"models", "accounts", "api", "devices", "messages", "studios"},
    "reports": {"models", "accounts", "api", "messages", "studios"},
    "simulation": {"models"},
    "demonstration": {"models", "accounts", "studios", "reports"},
    "operation": {"models", "accounts", "devices", "messages", "demonstration", "reports"},
}
SNMP_LIBRARIES = {"pysnmp", "pyasn1", "gufo", "puresnmp"}
IO_LIBRARIES = {"flask", "flask_login", "flask_sqlalchemy", "sqlalchemy", "httpx", "socket", "os", "subprocess", "time"}
CLOCKS = {"now", "utcnow", "today", "monotonic"}
# Files that decide without I/O and clock, as every rules.py does, under the name of what they decide on.
PURE = [
    "monitoring/charts.py",
    "monitoring/incident_rules.py",
    "monitoring/places.py",
    "monitoring/preflight_rules.py",
    "monitoring/site_rules.py",
    "monitoring/tally.py",
    "monitoring/trap_rules.py",
    "scheduler/admission.py",
    "scheduler/conference_rules.py",
    "studios/booking/candidates.py",
    "studios/booking/series/choices.py",
    "studios/booking/series/edits.py",
    "studios/booking/series/recurrence.py",
    "studios/booking/series/splitting.py",
    "studios/booking/wishes.py",
]
VAGUE = {"utils.py", "helpers.py", "common.py", "manager.py"}


def sources(part: str) -> list[Path]:
    return sorted((ROOT / part).rglob("*.py"))


def files() -> list[Path]:
    alone = [ROOT / name for name in ("app.py", "config.py", "errors.py", "logs.py", "progress.py")]
    return [path for part in PARTS for path in sources(part)] + alone


def imports(path: Path) -> set[str]:
    """The modules that a file imports anywhere in it, functions included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def tops(path: Path) -> set[str]:
    return {module.split(".")[0] for module in imports(path)}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("part", PARTS)
def test_imports_run_one_way(part):
    wrong = {
        f"{named(path)} imports {other}"
        for path in sources(part)
        for other in tops(path) & {*PARTS, "app"} - {part} - MAY_IMPORT[part]
    }
    assert not wrong


def test_the_model_imports_nothing_of_ours():
    assert not {named(path) for path in sources("models") if tops(path) & {"config", "errors", "app"}}


def test_only_the_clock_knows_apscheduler():
    assert [named(path) for path in files() if "apscheduler" in tops(path)] == ["scheduler/clock.py"]


def test_only_the_snmp_engines_and_the_simulation_know_an_snmp_library():
    knowing = {path for path in files() if tops(path) & SNMP_LIBRARIES}
    assert knowing
    assert {named(path.parent) for path in knowing} <= {"monitoring/snmp", "simulation"}


@pytest.mark.parametrize(
    "path", [path for path in files() if path.name == "rules.py" or named(path) in PURE], ids=named
)
def test_rules_do_no_io_and_read_no_clock(path):
    assert not tops(path) & IO_LIBRARIES
    called = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert not called & CLOCKS
    # The words of the model are open to rules, its session is not.
    assert not imports(path) & {"models", "models.database"}


def test_every_file_that_is_called_pure_is_there():
    assert not set(PURE) - {named(path) for path in files()}


def test_no_file_has_a_name_that_says_nothing():
    assert not [named(path) for path in files() if path.name in VAGUE]


def test_every_process_and_package_is_named_in_pyproject():
    text = (ROOT / "pyproject.toml").read_text()
    packages = {named(path.parent).replace("/", ".") for path in files() if path.name == "__init__.py"}
    assert not [package for package in packages if f'"{package}"' not in text]


def test_pages_have_no_inline_script_or_style():
    for page in (ROOT / "templates").rglob("*.html"):
        text = page.read_text()
        assert " style=" not in text, named(page)
        assert "<style" not in text, named(page)
        assert " onclick=" not in text, named(page)
        assert "hx-on" not in text, named(page)
        assert text.count("<script") == text.count("<script src="), named(page)


def test_no_query_goes_round_the_session():
    assert not [named(path) for path in files() if re.search(r"\b[A-Z]\w+\.query\b", path.read_text())]


def test_only_units_of_work_commit():
    """The caller commits, through `write`."""
    assert [named(path) for path in files() if "session.commit(" in path.read_text()] == ["models/database.py"]
