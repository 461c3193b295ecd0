"""A progress bar for long work at a terminal; nothing where the output goes elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

ReportProgress = Callable[[int, int], None]  # how many are done, and how many there are in all


@contextmanager
def progress_bar(title: str) -> Iterator[ReportProgress]:
    """A function to call with the number done and the number in all; the bar goes away when the work is done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
