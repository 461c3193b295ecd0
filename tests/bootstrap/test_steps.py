"""Each step is done once, done again when what it is made from has changed, and repaired when it was cut short."""

import os
import stat
from pathlib import Path

import pytest
from bootstrap import assets, cli, data, debian, environment, stamps, translations
from bootstrap.checkout import Checkout
from bootstrap.console import StepLine
from bootstrap.refusal import Refusal
from bootstrap.step import carry_out

from tests.bootstrap.conftest import program

CATALOGUE = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Book"\nmsgstr "Bestill"\n'


@pytest.fixture
def npm(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An npm that counts its installations and delivers every file that is copied."""
    delivered = [pattern.replace("*", "inter-latin") for pattern in assets.COPIED]
    makes = "\n".join(
        f'mkdir -p "$(dirname "node_modules/{file}")"; echo "{file}" > "node_modules/{file}"' for file in delivered
    )
    script = f'[ "$1" = --version ] && echo 9.2.0 && exit\necho "$@" >> calls\n{makes}'
    monkeypatch.setenv("PATH", str(program(checkout.root / "machine" / "npm", script).parent), prepend=":")
    (checkout.root / "package-lock.json").write_text("{}")
    return checkout.root / "calls"


def test_assets_are_installed_once_and_again_when_the_lock_changes(checkout: Checkout, npm: Path) -> None:
    carry_out(assets.steps(checkout))
    carry_out(assets.steps(checkout))
    assert npm.read_text() == "ci\n"
    (checkout.root / "package-lock.json").write_text('{"lockfileVersion": 3}')
    carry_out(assets.steps(checkout))
    assert npm.read_text() == "ci\nci\n"


def test_every_asset_is_copied_with_its_licence(checkout: Checkout, npm: Path) -> None:
    carry_out(assets.steps(checkout))
    copied = {str(file.relative_to(checkout.vendor)) for file in checkout.vendor.rglob("*.*")}
    assert {"htmx.min.js", "designsystemet.css", "theme.css", "inter.css"} <= copied
    assert "files/inter-latin-wght-normal.woff2" in copied
    assert "files/countries-50m.json" in copied
    packages = {source.rpartition("/")[0].removesuffix("/dist") for source in assets.COPIED if "LICENSE" in source}
    assert len(list((checkout.vendor / "licences").iterdir())) == len(packages) == 5


def test_assets_that_were_cut_short_are_made_anew(checkout: Checkout, npm: Path) -> None:
    (checkout.vendor.with_name("vendor.new")).mkdir(parents=True)
    checkout.vendor.mkdir()
    (checkout.vendor / "stale.css").touch()
    carry_out(assets.steps(checkout))
    assert (checkout.vendor / "theme.css").exists()
    assert not (checkout.vendor / "stale.css").exists()


@pytest.mark.parametrize("script", ["echo 8.19.4", "echo node: not found >&2; exit 127"])
def test_an_npm_that_is_too_old_or_broken_is_passed_over(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setenv("PATH", str(program(checkout.root / "machine" / "npm", script).parent), prepend=":")
    assert assets.npm(checkout)[0] == str(checkout.python)


def test_a_stamp_that_was_not_finished_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "stamp.new").write_text("abc")
    assert not stamps.is_current(tmp_path / "stamp", "abc")
    stamps.write(tmp_path / "stamp", "abc")
    assert stamps.is_current(tmp_path / "stamp", "abc")


def test_a_digest_tells_contents_names_and_missing_files_apart(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("x")
    digests = {stamps.digest([one]), stamps.digest([other]), stamps.digest([one, other])}
    other.write_text("x")
    digests |= {stamps.digest([other]), stamps.digest([one, other])}
    assert len(digests) == 5


def test_the_secret_key_is_private_and_kept(checkout: Checkout) -> None:
    checkout.var.mkdir()
    key = checkout.var / "secret-key"
    (checkout.var / "secret-key.new").write_text("cut short")
    data.make_key(key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text().strip()) >= 64
    assert data.steps(checkout)[0].ready()


def test_no_secret_key_is_made_where_the_environment_has_one(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not data.steps(checkout)[0].ready()
    monkeypatch.setenv("STUDIONETT_SECRET_KEY", "ours")
    assert data.steps(checkout)[0].ready()


@pytest.fixture
def fake_studionett(tmp_path: Path) -> Checkout:
    """A checkout whose `studionett` notes what it was asked, and says what it has written."""
    says = 'echo "$@" >> asked; echo "Demonstration inventory: there already."'
    day = 'case "$*" in *--day*) echo "Working day around now: 228 conferences, 60 of them over.";; esac'
    program(tmp_path / ".venv" / "bin" / "studionett", f"{says}\n{day}")
    return Checkout(tmp_path)


def test_only_who_starts_the_processes_gets_a_working_day_around_now(fake_studionett: Checkout) -> None:
    line = StepLine("Demonstration")
    assert data.demonstrate(fake_studionett, line, living=False) == "there already"
    assert data.demonstrate(fake_studionett, line, living=True) == "228 conferences, 60 of them over"
    asked = (fake_studionett.root / "asked").read_text().splitlines()
    assert asked == ["demo --if-empty", "demo --if-empty --day --only day"]


def test_where_nothing_is_written_the_line_says_so(tmp_path: Path) -> None:
    program(tmp_path / ".venv" / "bin" / "studionett", 'echo "STUDIONETT_DEMO is off; nothing was written."')
    assert data.demonstrate(Checkout(tmp_path), StepLine("Demonstration"), living=True) == "nothing was written"


def test_translations_are_compiled_and_again_when_one_changes(checkout: Checkout) -> None:
    catalogue = checkout.root / "translations" / "nb" / "LC_MESSAGES" / "messages.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(CATALOGUE)
    step = translations.steps(checkout)[0]
    carry_out([step])
    assert b"Bestill" in catalogue.with_suffix(".mo").read_bytes()
    assert step.ready()
    catalogue.write_text(CATALOGUE.replace("Bestill", "Reserver"))
    assert not step.ready()


def test_without_translations_there_is_nothing_to_compile(checkout: Checkout) -> None:
    assert translations.steps(checkout)[0].ready()


@pytest.fixture
def fake_pip(tmp_path: Path) -> tuple[Checkout, Path]:
    """A checkout whose `.venv/bin/python` plays pip; it says what the test writes, and fails."""
    checkout = Checkout(tmp_path)
    says = tmp_path / "says"
    program(checkout.python, f'cat "{says}"; exit 1')
    (tmp_path / "requirements.txt").write_text("flask==3.1.3 \\\n    --hash=sha256:00\n")
    return checkout, says


def test_packages_that_could_not_be_fetched_leave_the_environment_as_it_was(fake_pip: tuple[Checkout, Path]) -> None:
    checkout, says = fake_pip
    says.write_text("Collecting flask==3.1.3\nERROR: Temporary failure in name resolution\n")
    with pytest.raises(
        Refusal, match=r"requirements\.txt could not be installed: the package registry cannot be reached"
    ):
        environment.install_packages(checkout, "requirements.txt", StepLine("Python packages"))
    assert not (checkout.stamps / "unfinished").exists()
    assert not environment.steps(checkout, "requirements.txt", 0)[1].ready()


def test_an_installation_that_broke_off_makes_the_environment_anew(fake_pip: tuple[Checkout, Path]) -> None:
    checkout, says = fake_pip
    says.write_text("Installing collected packages: flask\nERROR: [Errno 28] No space left on device\n")
    with pytest.raises(Refusal, match="the disk is full"):
        environment.install_packages(checkout, "requirements.txt", StepLine("Python packages"))
    assert (checkout.stamps / "unfinished").exists()
    assert not environment.venv_is_usable(checkout)


def test_an_environment_that_was_made_elsewhere_or_half_is_not_used(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    assert not environment.venv_is_usable(checkout)
    program(checkout.python, "exit 0")
    pip = program(checkout.venv / "bin" / "pip", "")
    pip.write_text(f"#!{checkout.python}\n")
    assert not environment.venv_is_usable(checkout), "pip was not finished: it has no RECORD"
    record = checkout.venv / "lib" / "python3.11" / "site-packages" / "pip-23.2.1.dist-info" / "RECORD"
    record.parent.mkdir(parents=True)
    record.touch()
    assert environment.venv_is_usable(checkout)
    pip.write_text("#!/elsewhere/.venv/bin/python\n")
    assert not environment.venv_is_usable(checkout)


def test_the_tests_lock_covers_the_programs() -> None:
    assert environment._covered("requirements-test.txt") == ["requirements.txt", "requirements-test.txt"]
    assert environment._covered("requirements.txt") == ["requirements.txt"]


def test_a_second_set_up_does_not_run_beside_the_first(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "OTHER_SETUP_WITHIN", 0.0)
    with cli._alone(checkout), pytest.raises(Refusal, match="Another set-up"), cli._alone(checkout):
        pass
    with cli._alone(checkout):
        pass


@pytest.fixture
def failing_apt(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    apt = program(checkout.root / "machine" / "apt-get", "echo 'E: Could not connect to the archive'; exit 100")
    monkeypatch.setenv("PATH", str(apt.parent), prepend=":")
    monkeypatch.setattr(debian, "WANTED", {"chromium": "nowhere/chromium"})
    monkeypatch.setattr(debian, "as_root", lambda: [])


@pytest.mark.usefixtures("failing_apt")
def test_a_developer_without_the_browser_is_told_what_is_skipped(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    told = debian.install(checkout, StepLine("Debian packages"))
    assert told.startswith("skipped, with the tests that need them: chromium (the package registry cannot be reached")


@pytest.mark.usefixtures("failing_apt")
def test_continuous_integration_does_not_pass_by_leaving_tests_out(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(Refusal, match="chromium could not be installed"):
        debian.install(checkout, StepLine("Debian packages"))


def test_what_is_there_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "WANTED", {"dash": "*/sh", "nothing": "nowhere/*/nothing.so"})
    assert debian.missing() == ["nothing"]


def test_apts_progress_counts_download_and_installation() -> None:
    output = "dlstatus:1:20.0:Retrieving\ndlstatus:2:100:Retrieving\npmstatus:chromium:30.0:Unpacking\n"
    assert debian.done(output) == pytest.approx(0.65)
    assert debian.done("") == 0


def test_a_set_up_of_nothing_new_runs_no_program(checkout: Checkout, npm: Path) -> None:
    carry_out(assets.steps(checkout))
    before = os.stat(checkout.log).st_mtime_ns
    carry_out([*assets.steps(checkout), *translations.steps(checkout)])
    assert os.stat(checkout.log).st_mtime_ns == before
