"""How far a long run has come: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from vggss.progress import Tick

if TYPE_CHECKING:
    from rich.console import Console

EVERY = 30.0  # seconds between two lines where there is no terminal
FINE = ("have", "ok")  # states that need not be listed while all goes well


class _Count:
    """What has been done so far, and how fast; ``total`` is None where nobody can know how much is to come."""

    def __init__(self, what: str, total: int | None) -> None:
        self.what, self.total = what, total
        self.states: dict[str, int] = {}
        self.begun = time.monotonic()

    @property
    def done(self) -> int:
        return sum(self.states.values())

    def add(self, state: str) -> None:
        self.states[state] = self.states.get(state, 0) + 1

    def line(self) -> str:
        seconds = time.monotonic() - self.begun
        of = f" of {self.total:,} {self.what}" if self.total is not None else f" {self.what} so far"
        text = f"{self.done:,}{of}"
        if self.done and seconds > 0:
            rate = self.done / seconds
            text += f", {_rate(rate)}"
            if self.total is not None:
                text += f", {duration(round((self.total - self.done) / rate))} left"
        return text + "".join(f", {number:,} {state}" for state, number in sorted(self.states.items()))


@contextlib.contextmanager
def meter(what: str, total: int | None) -> Iterator[Tick]:
    """Show on standard error how many of ``total`` items are done (None: not known); call what this gives for each.

    >>> with meter("clips", 2) as tick:
    ...     tick("have")
    """
    from rich.console import Console

    console = Console(stderr=True)
    count = _Count(what, total)
    with _bar(count, console) if console.is_terminal else _lines(count) as tick:
        yield tick


@contextlib.contextmanager
def _lines(count: _Count) -> Iterator[Tick]:
    said = count.begun

    def tick(state: str) -> None:
        nonlocal said
        count.add(state)
        if time.monotonic() - said >= EVERY:
            said = time.monotonic()
            click.echo(count.line(), err=True)

    yield tick
    if said != count.begun:  # a run that was over at once needs no line
        click.echo(count.line(), err=True)


@contextlib.contextmanager
def _bar(count: _Count, console: Console) -> Iterator[Tick]:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    of = f"of {count.total:,} {count.what}" if count.total is not None else f"{count.what} so far"
    known = count.total is not None
    columns = (
        *([] if known else [SpinnerColumn()]),
        TextColumn(f"{{task.completed:,.0f}} {of}", markup=False),
        *([BarColumn(bar_width=20)] if known else []),
        TextColumn("{task.fields[rate]}", markup=False),
        *([TimeRemainingColumn()] if known else []),
        TextColumn("{task.fields[states]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=count.total, rate="", states="")

        def tick(state: str) -> None:
            count.add(state)
            seconds = max(time.monotonic() - count.begun, 1e-6)
            others = {name: number for name, number in sorted(count.states.items()) if name not in FINE}
            progress.update(
                task,
                advance=1,
                rate=_rate(count.done / seconds),
                states=" ".join(f"{name} {number:,}" for name, number in others.items()),
            )

        yield tick


def _rate(each_second: float) -> str:
    """Write a rate in the unit that makes it a number one can read.

    >>> _rate(12.34), _rate(0.08)
    ('12.3/s', '288/h')
    """
    return f"{each_second:.1f}/s" if each_second >= 1 else f"{each_second * 3600:,.0f}/h"


def duration(seconds: float) -> str:
    """Write a length of time in its two largest units.

    >>> duration(42), duration(3725), duration(190_000)
    ('42 s', '1 h 2 min', '2 d 4 h')
    """
    seconds = int(seconds)
    for unit, name, smaller, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= unit:
            return f"{seconds // unit} {name} {seconds % unit // smaller} {small}"
    return f"{seconds} s"
