"""Showing how far a fetch is.

Belongs here: the protocol the downloader reports to, and its picture in a terminal.
Does not belong here: anything that influences the download.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pipeline.fetch.report import FileOutcome

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID


class Progress(Protocol):
    """Told by the downloader, possibly from several threads at once, what is going on."""

    def expect(self, files: int) -> None:
        """So many files will be looked at."""

    def begin(self, name: str) -> None:
        """Work on this file (or page) starts."""

    def advance(self, name: str, done: int, total: int | None) -> None:
        """So many bytes of it are here, of so many if known."""

    def finish(self, name: str, outcome: FileOutcome) -> None:
        """Work on it is over."""


class NoProgress:
    """Shows nothing."""

    def expect(self, files: int) -> None:
        """Ignore it."""

    def begin(self, name: str) -> None:
        """Ignore it."""

    def advance(self, name: str, done: int, total: int | None) -> None:
        """Ignore it."""

    def finish(self, name: str, outcome: FileOutcome) -> None:
        """Ignore it."""


class RichProgress:
    """A bar for all files and one for each file under way; use as a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.progress import (
            Progress as Bars,
        )

        # Names come from publishers' pages, so they must not be read as markup.
        self._files = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:.0f} of {task.total:.0f} files"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._bytes = Bars(
            TextColumn("  {task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            console=console,
            transient=True,
        )
        self._console = console
        self._all: TaskID | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> RichProgress:
        from rich.console import Group
        from rich.live import Live

        self._live = Live(
            Group(self._files, self._bytes),
            console=self._console,
            transient=True,
            refresh_per_second=8,
        )
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def expect(self, files: int) -> None:
        """Show the bar over all files."""
        if self._all is None:
            self._all = self._files.add_task("Fetching", total=files)
        else:
            self._files.update(self._all, total=files)

    def begin(self, name: str) -> None:
        """Show a bar for this file."""
        self._tasks[name] = self._bytes.add_task(name[-60:], total=None)

    def advance(self, name: str, done: int, total: int | None) -> None:
        """Move this file's bar."""
        if name in self._tasks:
            self._bytes.update(self._tasks[name], completed=done, total=total)

    def finish(self, name: str, outcome: FileOutcome) -> None:
        """Take this file's bar away and move the bar over all files."""
        task = self._tasks.pop(name, None)
        if task is not None:
            self._bytes.remove_task(task)
        if self._all is not None and outcome.kind == "file":
            self._files.advance(self._all)
