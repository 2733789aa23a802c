"""The command line: each command reads options, calls one function, prints.

This is the one place where a :class:`vggss.errors.VggssError` becomes a message. Exit codes: 0 done,
1 the data is at fault (or a check found something), 2 the request is.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import sys
from typing import Any

for _library in ("OPENBLAS", "OMP", "MKL"):  # before NumPy is imported: its threads only cost time here
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import click

from vggss._version import __version__
from vggss.cli.autobox import autobox
from vggss.cli.benchmark import compare, leaderboard, protocols, score
from vggss.cli.checks import audit, check_list
from vggss.cli.data import where
from vggss.cli.detector import download_detector
from vggss.cli.doctor import doctor
from vggss.cli.download import download
from vggss.cli.ingest import ingest
from vggss.cli.match import download_vectors, match
from vggss.cli.prepare import prepare
from vggss.cli.release import release
from vggss.cli.stats import split, stats
from vggss.cli.status import status
from vggss.cli.verify import verify
from vggss.cli.via import via
from vggss.errors import VggssError


class _Group(click.Group):
    """A group that turns what a user can mend into one message and an exit code."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except VggssError as error:
            click.echo("vggss: " + "".join(c if c.isprintable() else "?" for c in str(error)), err=True)
            context.exit(error.exit_code)
        except MemoryError:
            click.echo("vggss: not enough memory for this file; split it, or write smaller maps", err=True)
            context.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="vggss")
def cli() -> None:
    """Visual sound localisation you can trust.

    Score a predictions file against VGG-SS, and see at once what a blind predictor gets, what the protocol
    can reach, how sure the number is and what it covers.

    \b
    Example:
      vggss download annotations
      vggss score predictions.json --report report.html
    """


for _command in (
    score,
    compare,
    audit,
    check_list,
    leaderboard,
    protocols,
    download,
    ingest,
    status,
    prepare,
    match,
    autobox,
    via,
    verify,
    release,
    doctor,
    stats,
    split,
    where,
):
    cli.add_command(_command)
for _command in (download_detector, download_vectors):
    download.add_command(_command)


def main() -> None:
    """Run the command line."""
    if sys.stdout is None:  # closed by the caller
        sys.exit("vggss: standard output is closed")
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a letter shows a question mark
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    logging.basicConfig(format="vggss: %(message)s")  # warnings of the library, on standard error
    try:
        try:
            cli(prog_name="vggss")
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno == errno.EPIPE:
            _drop(sys.stdout)
            sys.exit(141)
        where = error.filename or (
            "cannot write to standard output" if _is_shut(sys.stdout) else "a file failed"
        )
        _drop(sys.stdout)
        sys.exit(f"vggss: {where}: {error.strerror or error}")


def _is_shut(stream: Any) -> bool:
    """Whether what was printed cannot get out."""
    try:
        stream.flush()
    except (OSError, ValueError):
        return True
    return False


def _drop(stream: Any) -> None:
    """Send what is left in a stream nowhere, so that the interpreter's last flush cannot fail."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
