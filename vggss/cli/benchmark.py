"""Commands about results: score, compare, leaderboard, protocols."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vggss.cli.data import json_option, open_benchmark, root_option

if TYPE_CHECKING:
    from vggss.scoring.score import Missing, Score, Unknown

FILE = click.Path(path_type=Path)

benchmark_option = click.option(
    "--benchmark",
    default="vggss",
    show_default=True,
    metavar="NAME|PATH",
    help="vggss, flickr, sample, or a path.",
)


def _known_protocol(_context: click.Context, _option: click.Parameter, name: str) -> str:
    """Refuse an unknown protocol before anything is read."""
    from vggss.scoring.protocol import get_protocol

    get_protocol(name)
    return name


protocol_option = click.option(
    "--protocol",
    callback=_known_protocol,
    default="lvs",
    show_default=True,
    metavar="NAME",
    help="How maps become masks (vggss protocols).",
)
subset_option = click.option(
    "--subset",
    multiple=True,
    metavar="SUBSET",
    help="heard, unheard, single, multi, class=NAME or ids=FILE; again to narrow further.",
)
nan_option = click.option(
    "--allow-nan", is_flag=True, help="Score maps with NaN or infinity as the released code would."
)
missing_option = click.option(
    "--missing",
    type=click.Choice(["fail", "zero", "skip"]),
    default="fail",
    show_default=True,
    help="Clips without a prediction: refuse, count as failures, or leave out.",
)
unknown_option = click.option(
    "--unknown",
    type=click.Choice(["fail", "ignore"]),
    default="fail",
    show_default=True,
    help="Predictions for clips that are not in the benchmark: refuse or ignore.",
)
negatives_option = click.option(
    "--negatives",
    type=FILE,
    metavar="CSV",
    help="Clips where nothing visible sounds (columns video, audio), for slavc.",
)


@click.command()
@click.argument("predictions", type=FILE)
@benchmark_option
@protocol_option
@subset_option
@missing_option
@unknown_option
@click.option(
    "--slices", type=FILE, metavar="CSV", help="Slices of your own: a column id, and one for each group."
)
@negatives_option
@click.option(
    "--ci/--no-ci", "intervals", default=True, show_default=True, help="Bootstrap intervals over clips."
)
@click.option("--level", default=0.95, show_default=True, help="Coverage of the intervals.")
@click.option("--per-clip", type=FILE, metavar="CSV", help="Write one row for each clip.")
@click.option("--report", type=FILE, metavar="HTML", help="Write a report: one file, no network.")
@click.option(
    "--frames",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Frames as ID.jpg or ID.png, for the report's gallery.",
)
@nan_option
@json_option
@root_option
def score(
    predictions: Path,
    benchmark: str,
    protocol: str,
    subset: tuple[str, ...],
    missing: Missing,
    unknown: Unknown,
    slices: Path | None,
    negatives: Path | None,
    intervals: bool,
    level: float,
    per_clip: Path | None,
    report: Path | None,
    frames: Path | None,
    allow_nan: bool,
    as_json: bool,
    root: Path | None,
) -> None:
    """Score a predictions file.

    Prints the success rate at 0.5 (the "cIoU" of the tables) and AUC with their intervals, beside the blind
    predictors and the protocol's ceiling on the very same clips.

    \b
    Example:
      vggss score predictions.json
      vggss score predictions.npz --protocol ezvsl --subset heard --json
      vggss score predictions.json --missing skip --report report.html --per-clip clips.csv
    """
    from vggss.atomic import write_bytes
    from vggss.predictions import load_predictions
    from vggss.scoring.export import per_clip_csv
    from vggss.scoring.score import score as compute
    from vggss.scoring.uncertainty import RESAMPLES

    if per_clip and report and per_clip.resolve() == report.resolve():
        raise click.UsageError(f"--per-clip and --report both name {report}")
    opened = load_predictions(predictions, allow_nan=allow_nan)
    result = compute(
        opened,
        open_benchmark(benchmark, root),
        protocol,
        subset=subset,
        missing=missing,
        unknown=unknown,
        slices=slices,
        negatives=negatives,
        level=level,
        resamples=RESAMPLES if intervals else 0,
    )
    if per_clip:
        write_bytes(per_clip, per_clip_csv(result))
        click.echo(f"wrote {per_clip}", err=True)
    if report:
        from vggss.annotations import SAMPLE
        from vggss.scoring.report import score_report

        shown = SAMPLE / "frames" if benchmark == "sample" and frames is None else frames
        write_bytes(report, score_report(result, opened, shown, _command_line()))
        click.echo(f"wrote {report}", err=True)
    _print_score(result, as_json)


def _command_line() -> str:
    return shlex.join(["vggss", *sys.argv[1:]])


def _print_score(result: Score, as_json: bool) -> None:
    from vggss.cli.show import print_score
    from vggss.cli.terminal import print_json
    from vggss.scoring.export import as_dict

    if as_json:
        print_json(as_dict(result))
    else:
        print_score(result)


@click.command()
@click.argument("predictions", nargs=-1, type=FILE, required=True, metavar="A B [C ...]")
@benchmark_option
@protocol_option
@subset_option
@unknown_option
@click.option("--level", default=0.95, show_default=True, help="Coverage of the intervals.")
@nan_option
@json_option
@root_option
def compare(
    predictions: tuple[Path, ...],
    benchmark: str,
    protocol: str,
    subset: tuple[str, ...],
    unknown: Unknown,
    level: float,
    allow_nan: bool,
    as_json: bool,
    root: Path | None,
) -> None:
    """Compare two or more predictions files on the clips that all of them cover.

    Paired bootstrap of the difference in success rate and AUC, McNemar's exact test, Holm's correction over
    the pairs; per class and slice; which clips flip (all of them with --json).

    \b
    Example:
      vggss compare lvs.json ezvsl.json
      vggss compare a.json b.json c.json --protocol ezvsl --json
    """
    from dataclasses import asdict

    from vggss.cli.show import print_comparison
    from vggss.cli.terminal import print_json
    from vggss.predictions import load_predictions
    from vggss.scoring.compare import compare as compute
    from vggss.scoring.score import score as score_one

    if len(predictions) < 2:
        raise click.UsageError("a comparison needs at least two predictions files")
    opened = open_benchmark(benchmark, root)
    scores = [
        score_one(
            load_predictions(path, allow_nan=allow_nan),
            opened,
            protocol,
            subset=subset,
            missing="skip",
            unknown=unknown,
            resamples=0,
        )
        for path in predictions
    ]
    result = compute(scores, level)
    if as_json:
        print_json(asdict(result))
    else:
        print_comparison(result)


@click.command()
@click.option("--add", multiple=True, type=FILE, metavar="PREDICTIONS", help="Put a file of yours in place.")
@benchmark_option
@protocol_option
@subset_option
@missing_option
@unknown_option
@nan_option
@click.option("--test-set", metavar="NAME", help="Only boards of this test set, such as VGG-SS or Flickr.")
@click.option("--report", type=FILE, metavar="HTML", help="Write a report: one file, no network.")
@json_option
@root_option
def leaderboard(
    add: tuple[Path, ...],
    benchmark: str,
    protocol: str,
    subset: tuple[str, ...],
    missing: Missing,
    unknown: Unknown,
    allow_nan: bool,
    test_set: str | None,
    report: Path | None,
    as_json: bool,
    root: Path | None,
) -> None:
    """Print published results, one board for each test set and protocol.

    Blind rows and the ceiling stand in place. A row that the literature prints beside results of another
    protocol is marked, and put on the board where it belongs.

    \b
    Example:
      vggss leaderboard --test-set VGG-SS
      vggss leaderboard --add predictions.json --report leaderboard.html
    """
    from dataclasses import asdict

    from vggss.annotations import published_results, references
    from vggss.cli.show import print_boards
    from vggss.cli.terminal import print_json
    from vggss.errors import UsageError
    from vggss.predictions import load_predictions
    from vggss.scoring.leaderboard import leaderboard as compute
    from vggss.scoring.score import score as score_one

    opened = open_benchmark(benchmark, root) if add else None
    scores = [
        score_one(
            load_predictions(path, allow_nan=allow_nan),
            opened,
            protocol,
            subset=subset,
            missing=missing,
            unknown=unknown,
        )
        for path in add
        if opened
    ]
    boards = compute(published_results(), references(), scores)
    if test_set:
        names = sorted({board.test_set for board in boards})
        boards = [board for board in boards if board.test_set.lower() == test_set.lower()]
        if not boards:
            raise UsageError(f"no board is of {test_set!r}; there are {', '.join(names)}")
    if report:
        from vggss.atomic import write_bytes
        from vggss.scoring.report import leaderboard_report

        write_bytes(report, leaderboard_report(boards, _command_line()))
        click.echo(f"wrote {report}", err=True)
    if as_json:
        print_json([asdict(board) for board in boards])
    else:
        print_boards(boards)


@click.command()
@json_option
def protocols(as_json: bool) -> None:
    """Print every named protocol: what it does, where it comes from, what it can reach on VGG-SS.

    \b
    Example:
      vggss protocols
    """
    from dataclasses import asdict

    from vggss.annotations import references
    from vggss.cli.show import print_protocols
    from vggss.cli.terminal import print_json
    from vggss.scoring.protocol import PROTOCOLS, get_protocol

    rows = [row for row in references() if row.test_set == "VGG-SS"]
    shown = [*PROTOCOLS.values(), get_protocol("fixed-0.5")]
    if as_json:
        named = [{**asdict(p), "on_vggss": [asdict(r) for r in rows if r.protocol == p.name]} for p in shown]
        print_json(named)
    else:
        print_protocols(shown, rows)
