"""The programs of the set-up: what the person sees of them, and that none stays behind."""

import io
import os
import signal
import time
from pathlib import Path

import pytest
from bootstrap import console
from bootstrap.checkout import Checkout
from bootstrap.console import StepLine
from bootstrap.programs import cause_of, last_words, run, run_or_refuse
from bootstrap.refusal import Refusal
from bootstrap.step import Step, carry_out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_a_program_says_is_in_the_log(checkout: Checkout) -> None:
    assert run(checkout, StepLine("Speaking"), ["echo", "hello"]) == "hello\n"
    assert "$ echo hello\nhello\n" in checkout.log.read_text()


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("npm error code ENOSPC\nnpm error nospc", "the disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n do not match the hashes", "does not match its recorded hash"),
        ("getaddrinfo EAI_AGAIN", "cannot be reached"),
        ("Traceback ...\nValueError: a reason.\n\n", "a reason"),
        ("", "it gave no reason"),
    ],
)
def test_a_failure_is_told_by_its_cause(said: str, cause: str) -> None:
    assert cause_of(said).endswith(cause) or cause in cause_of(said)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (
            "Traceback\nsqlalchemy.exc.OperationalError: (psycopg.OperationalError) no server\n(More at: there)",
            "no server",
        ),
        ("studionett: STUDIONETT_PORT is wrong: too big.\n", "STUDIONETT_PORT is wrong: too big"),
        ("Error: nothing was written: Connection refused.", "nothing was written: Connection refused"),
        ("", "it gave no reason"),
    ],
)
def test_a_failure_of_our_own_programs_is_told_in_their_words(said: str, cause: str) -> None:
    assert last_words(said) == cause


def test_a_failing_program_becomes_one_sentence(checkout: Checkout) -> None:
    with pytest.raises(Refusal, match=r"^It failed: no such thing \(everything it said is in var/setup.log\)\.$"):
        run_or_refuse(
            checkout, StepLine("Failing"), ["sh", "-c", "echo first; echo no such thing.; exit 3"], "It failed"
        )


def test_a_program_that_is_missing_becomes_one_sentence(checkout: Checkout) -> None:
    with pytest.raises(Refusal, match="/nowhere/pip cannot be started: No such file"):
        run(checkout, StepLine("Missing"), ["/nowhere/pip"])


def test_a_stop_ends_the_program_and_what_it_started(checkout: Checkout) -> None:
    class Stop(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stop

    sleep = f"sleep 20.{os.getpid()}{time.monotonic_ns() % 1000}"
    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(Stop):
            run(checkout, StepLine("Stopped"), ["sh", "-c", f"{sleep} & {sleep}; true"])
    finally:
        signal.signal(signal.SIGALRM, previous)
    deadline = time.monotonic() + 5  # what has been told to end may take a moment
    while sleep.replace(" ", "\0").encode() + b"\0" in _running():
        assert time.monotonic() < deadline


def _running() -> list[bytes]:
    return [place.read_bytes() for place in Path("/proc").glob("[0-9]*/cmdline") if place.exists()]


def test_without_a_terminal_a_step_is_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "PLAIN_EVERY", 0.0)
    out = io.StringIO()
    line = StepLine("Python packages", out)
    line.progress(0.25)
    line.progress(None)
    line.done("49 pinned")
    assert [said.split() for said in out.getvalue().splitlines()] == [
        ["Python", "packages", "25%,", "0", "s"],
        ["Python", "packages", "working,", "0", "s"],
        ["Python", "packages", "49", "pinned"],
    ]
    assert "\r" not in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_on_a_terminal_a_step_is_one_line_with_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    line = StepLine("Python packages", out)
    line.progress(0.5)
    line.done("49 pinned")
    assert out.getvalue().count("\n") == 1
    assert "[###############...............]  50%" in out.getvalue()


def test_a_step_that_fails_says_so_and_stops_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(_line: StepLine) -> str:
        raise Refusal("Not here.")

    done: list[str] = []
    steps = [
        Step("First", lambda: True, refuse),
        Step("Second", lambda: False, refuse),
        Step("Third", lambda: False, lambda _: done.append("third") or "done"),
    ]
    with pytest.raises(Refusal):
        carry_out(steps)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [["First", "ready"], ["Second", "failed"]]
    assert done == []
