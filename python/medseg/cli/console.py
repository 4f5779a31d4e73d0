"""What goes to the terminal: one-line errors, progress bars and tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

DONE, IN_PART, FAILED, INTERRUPTED = 0, 1, 2, 130

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # torch's words
_LESS = "the size or the number of what was given"
LESS_MEMORY = {  # by command
    "segment": "--window, or of SAM 2 --image-size or --sam2-size",
    "frames": "--image-size or --sam2-size, or make the pictures smaller with medseg preprocess",
    "preprocess": "--height",
    "volume": "--image-size or --sam2-size, or segment fewer slices with --slices",
    "benchmark": "--image-size, or name fewer --models",
    "train": "--batch (with --accumulate as much higher), --frames, or size under [data]",
}

Advance = Callable[[int, int], None]  # done, in all


def say_error(error: BaseException | str) -> None:
    """Write one line to stderr: `medseg: what, where, the cure`."""
    print(f"medseg: {one_line(error)}", file=sys.stderr)


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python's own, torch's on a CPU, or a GPU's."""
    if isinstance(error, RuntimeError):
        said = str(error).lower()
        return any(words in said for words in _OUT_OF_MEMORY)
    return isinstance(error, MemoryError)


def memory_cure(command: str) -> str:
    """One line that says what to lower in a command."""
    return f"memory ran out; lower {LESS_MEMORY.get(command, _LESS)}, or use a larger machine"


def one_line(error: BaseException | str) -> str:
    """An error's message without line breaks; errors of the system get their reason in words."""
    from medseg.errors import MedsegError

    if isinstance(error, OSError) and not isinstance(error, MedsegError):
        where = f"{error.filename}: " if error.filename else ""
        text = f"{where}{error.strerror or error}"
    elif isinstance(error, BaseException) and not str(error):
        text = type(error).__name__
    else:
        text = str(error)
    return " ".join(text.split())


@contextmanager
def progress(label: str) -> Iterator[Advance]:
    """A progress bar on stderr, if that is a terminal, which takes (done, in all)."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=None)

        def advance(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield advance


def print_table(title: str | None, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table to stdout; outside a terminal it is as wide as its contents."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    wide = None if sys.stdout.isatty() else 200
    Console(width=wide, soft_wrap=not sys.stdout.isatty()).print(table)
