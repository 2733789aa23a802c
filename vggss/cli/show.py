"""Tables on the terminal; plain text elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from vggss.annotations import Reference
from vggss.audit import KINDS, Audit
from vggss.catalog import LeakCheck
from vggss.cli.terminal import console, table_of
from vggss.errors import printable, some
from vggss.scoring.compare import Comparison, Pair
from vggss.scoring.leaderboard import Board, Row
from vggss.scoring.protocol import Protocol
from vggss.scoring.score import Score
from vggss.scoring.slices import Slice
from vggss.scoring.uncertainty import Estimate

BOARD = 140  # columns that a board with training sets and sources needs
FULL = 100  # columns that a table with intervals needs
SHOWN = 12  # a group with more values than this is left to --json and the report


def print_score(score: Score) -> None:
    """Print one score: headline, blind rows and ceiling, slices, notes, provenance."""
    out = console()
    part = score.benchmark
    of = f"{part.name} ({part.subset})" if part.subset else part.name
    out.print(
        Text.assemble(
            (score.model, "bold"),
            f" on {of}, protocol ",
            (score.protocol.name, "bold"),
            f": {_coverage(score)}",
        )
    )
    out.print()
    table = table_of("", "cIoU@0.5 %", "", "AUC", "")
    table.add_row(
        Text(score.model, "bold"),
        Text(f"{100 * score.success.value:.2f}", "bold"),
        _interval(score.success, 100, 2),
        Text(f"{score.auc.value:.4f}", "bold"),
        _interval(score.auc, 1, 4),
    )
    table.add_row(
        "ceiling of the protocol", f"{100 * score.ceiling[0]:.2f}", "", f"{score.ceiling[1]:.4f}", ""
    )
    for row in sorted(score.blind, key=lambda r: -r.success):
        table.add_row(f"blind: {row.name}", f"{100 * row.success:.2f}", "", f"{row.auc:.4f}", "")
    out.print(table)
    out.print()
    out.print(_verdict(score))
    out.print(f"Mean consensus IoU over clips (another number): {score.mean_ciou:.4f}")
    out.print(
        f"{score.unreachable:,} of these clips cannot succeed under {score.protocol.name}; "
        f"{len(score.impossible)} have no ground truth at all"
        + (f" ({some(score.impossible)})" if score.impossible else "")
    )
    if score.missing:
        _print_missing(out, score)
    if score.detection:
        d = score.detection
        out.print(
            f"With {d.negatives:,} negatives: AP {100 * d.average_precision:.2f}, max-F1 {100 * d.max_f1:.2f}, "
            f"LocAcc {100 * d.loc_acc:.2f}"
        )
    out.print()
    _print_slices(out, score.slices)
    for note in score.notes:
        out.print(Text(f"note: {note}", "yellow"))
    out.print(Text(_provenance(score), "dim"))


def _coverage(score: Score) -> str:
    total = len(score.benchmark)
    return f"{total - len(score.missing):,} of {total:,} clips predicted ({100 * score.coverage:.1f} %)"


def _interval(estimate: Estimate, scale: float, digits: int) -> str:
    if estimate.low != estimate.low:
        return ""
    return f"[{scale * estimate.low:.{digits}f}, {scale * estimate.high:.{digits}f}]"


def _verdict(score: Score) -> Text:
    ahead = score.advantage
    style = {"better": "green", "worse": "red"}.get(ahead.verdict, "yellow")
    words = {
        "better": "better than blind, beyond chance",
        "worse": "worse than blind, beyond chance",
    }.get(ahead.verdict, "not distinguishable from blind")
    bounds = (
        ""
        if ahead.success.low != ahead.success.low
        else (f" [{100 * ahead.success.low:+.2f}, {100 * ahead.success.high:+.2f}]")
    )
    return Text.assemble(
        f"Against the best blind row ({ahead.over}): {100 * ahead.success.value:+.2f}{bounds} points, "
        f"{_p(ahead.p)}: ",
        (words, f"bold {style}"),
    )


def _p(p: float) -> str:
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.4f}"


def _print_missing(out: Console, score: Score) -> None:
    rule = "counted as failures" if score.missing_rule == "zero" else "left out"
    out.print(
        f"{len(score.missing):,} clips were not predicted and are {rule} ({some(score.missing)}); over all clips "
        f"cIoU@0.5 is between {100 * score.worst[0]:.2f} (they all fail) and {100 * score.best[0]:.2f} (they all "
        f"reach the ceiling), AUC between {score.worst[1]:.4f} and {score.best[1]:.4f}"
    )


def _print_slices(out: Console, slices: Sequence[Slice]) -> None:
    wide = out.width >= FULL
    table = table_of(
        "slice", "clips", "cIoU@0.5 %", *(("", "AUC") if wide else ()), "ceiling %", "best blind %"
    )
    large = []
    for group, rows in _by_group(slices):
        if len(rows) > SHOWN:
            large.append(f"{printable(group)} ({len(rows)})")
            continue
        table.add_row(Text(printable(group), "dim"))
        for row in rows:
            bounds = f"[{100 * row.low:.2f}, {100 * row.high:.2f}]"
            table.add_row(
                f"  {printable(row.value)}",
                f"{row.clips:,}",
                f"{100 * row.success:.2f}",
                *((bounds, f"{row.auc:.4f}") if wide else ()),
                f"{100 * row.ceiling:.2f}",
                f"{100 * row.blind:.2f}",
            )
    out.print(table)
    if large:
        out.print(Text(f"also by {', '.join(large)}: --json or --report", "dim"))
    out.print()


def _by_group(slices: Iterable[Slice]) -> list[tuple[str, list[Slice]]]:
    found: dict[str, list[Slice]] = {}
    for row in slices:
        found.setdefault(row.group, []).append(row)
    return list(found.items())


def _provenance(score: Score) -> str:
    part = score.benchmark
    return (
        f"{score.protocol.name}: {score.protocol.settings} · {part.name} sha256 {part.sha256[:12]} · predictions sha256 "
        f"{score.predictions_sha256[:12] or 'none'} · {100 * score.level:g} % intervals · vggss {score.version}"
    )


def print_comparison(result: Comparison) -> None:
    """Print models, pairs, and the slices in which a pair differs most."""
    out = console()
    out.print(
        f"{len(result.models)} models on {result.benchmark}, protocol {result.protocol}: {result.clips:,} common clips"
        + (f", {result.left_out:,} left out" if result.left_out else "")
    )
    out.print()
    table = table_of("", "cIoU@0.5 %", "", "AUC", "")
    for model in result.models:
        table.add_row(
            model.name,
            f"{100 * model.success.value:.2f}",
            _interval(model.success, 100, 2),
            f"{model.auc.value:.4f}",
            _interval(model.auc, 1, 4),
        )
    out.print(table)
    for pair in result.pairs:
        out.print()
        _print_pair(out, pair)


def _print_pair(out: Console, pair: Pair) -> None:
    out.print(Text(f"{pair.first} - {pair.second}: {pair.verdict}", "bold"))
    out.print(
        f"  cIoU@0.5 {100 * pair.success.value:+.2f} [{100 * pair.success.low:+.2f}, {100 * pair.success.high:+.2f}] "
        f"points, AUC {pair.auc.value:+.4f} [{pair.auc.low:+.4f}, {pair.auc.high:+.4f}]"
    )
    out.print(
        f"  McNemar {_p(pair.p)}, Holm-adjusted {_p(pair.p_holm)}; only {pair.first} succeeds on "
        f"{len(pair.only_first):,} clips, only {pair.second} on {len(pair.only_second):,}"
    )
    for name, clips in ((pair.first, pair.only_first), (pair.second, pair.only_second)):
        if clips:
            out.print(Text(f"  only {name}: {some(clips)}", "dim"))
    first, second = ("first %", "second %") if out.width < FULL else (f"{pair.first} %", f"{pair.second} %")
    table = table_of("  slice", "clips", first, second, "flips", "p")
    shown = [row for row in pair.slices if row.group != "class"]
    shown += sorted((row for row in pair.slices if row.group == "class"), key=lambda row: row.p)[:5]
    last = ""
    for row in shown:
        if row.group != last:
            table.add_row(Text(f"  {printable(row.group)}", "dim"))
        table.add_row(
            f"    {printable(row.value)}",
            f"{row.clips:,}",
            f"{100 * row.first:.2f}",
            f"{100 * row.second:.2f}",
            f"+{row.only_first} -{row.only_second}",
            _p(row.p)[2:].removeprefix("= "),
        )
        last = row.group
    out.print(table)
    out.print(Text("  classes: the five with the lowest p (not adjusted); all with --json", "dim"))


def print_audit(result: Audit, path: str) -> None:
    """Print what an annotation file holds and every kind of defect."""
    out = console()
    out.print(f"{path}: {result.clips:,} clips, {result.boxes:,} boxes, {result.classes} classes")
    out.print("boxes per clip: " + ", ".join(f"{n}: {clips:,}" for n, clips in result.boxes_per_clip.items()))
    out.print()
    table = table_of("found", "", "what a scorer does", left=3)
    for kind, findings in result.by_kind().items():
        meaning, effect = KINDS[kind]
        clips = len({finding.clip for finding in findings})
        table.add_row(Text(kind, "bold"), f"{len(findings)} in {clips} clips: {meaning}", effect)
        for finding in findings[:20]:
            table.add_row("", Text(f"{printable(finding.clip)}  {printable(finding.detail)}", "dim"), "")
        if len(findings) > 20:
            table.add_row("", Text(f"and {len(findings) - 20:,} more (--json)", "dim"), "")
    if result.findings:
        out.print(table)
    if result.not_checked:
        out.print(
            f"not checked, for want of the VGG-Sound list (`vggss download annotations`): {', '.join(result.not_checked)}"
        )
    out.print("no defects" if result.clean else Text("there are defects", "bold yellow"))


def print_leaks(result: LeakCheck, path: str, against: str) -> None:
    """Print how many clips of a list are test clips."""
    out = console()
    out.print(f"{path}: {result.listed:,} clips, held against {against}")
    style = "bold red" if result.exact else "green"
    out.print(Text(f"{result.test_clips:,} are test clips by exact id", style))
    for row in result.exact[:3]:
        out.print(Text(f"  line {row.line}: {printable(row.clip)}", "dim"))
    out.print(
        Text(
            f"{len(result.same_video):,} more come from a test clip's video",
            "yellow" if result.same_video else "green",
        )
    )
    for row in result.same_video[:3]:
        out.print(Text(f"  line {row.line}: {printable(row.clip)}", "dim"))
    if result.strange:
        first = result.strange[0]
        out.print(
            Text(
                f"{len(result.strange):,} lines name no clip (line {first.line}: {printable(first.clip)})",
                "yellow",
            )
        )
    out.print(f"{len(result.kept):,} lines are clean (--clean OUT writes them)")


def print_boards(boards: Sequence[Board]) -> None:
    """Print one table for each board."""
    out = console()
    for board in boards:
        out.print(Text(f"{board.test_set}, {board.metric}, protocol {board.protocol}", "bold"))
        wide = out.width >= BOARD
        left, right = (("trained on",), ("source",)) if wide else ((), ())
        table = table_of("", "method", *left, "clips", board.metric, "AUC", *right, left=2 + wide)
        if wide:
            table.columns[-1].justify = "left"
        rank = 0
        for row in board.rows:
            rank += row.kind in ("published", "yours")
            number = str(rank) if row.kind in ("published", "yours") else ""
            table.add_row(number, *_board_cells(row, wide), style=_style(row))
        out.print(table)
        out.print()
    out.print(
        Text(
            "Never rank across boards. ? marks a number from memory. The VGG-Sound 144k list that EZ-VSL, SLAVC and "
            "SSLalignment share holds 3,709 of the 5,158 VGG-SS clips (vggss check-list).",
            "dim",
        )
    )


def _board_cells(row: Row, wide: bool) -> list[str]:
    doubt = "?" if row.confidence == "low" else ""
    name = printable(row.method)
    method = f"{name} ({row.year})" if row.year else f"blind: {name}" if row.kind == "blind" else name
    value = f"{row.value:.2f}{doubt}"
    if row.interval:
        value += f" [{row.interval[0]:.2f}, {row.interval[1]:.2f}]"
    if row.mark:
        method += f"\n  ! {row.mark}"
    numbers = [
        f"{row.clips:,}" if row.clips else "not said",
        value,
        "" if row.auc is None else f"{row.auc:.2f}",
    ]
    if wide:
        return [method, row.training_set, *numbers, printable(row.source)]
    if row.kind == "published":
        method += f"\n  {row.training_set}; {row.source}"
    return [method, *numbers]


def _style(row: Row) -> str:
    return {"blind": "yellow", "ceiling": "cyan", "yours": "bold green"}.get(row.kind, "")


def print_protocols(protocols: Sequence[Protocol], rows: Sequence[Reference]) -> None:
    """Print each protocol with its ceiling and blind scores on VGG-SS."""
    out = console()
    for protocol in protocols:
        out.print(Text(protocol.name, "bold"))
        out.print(f"  {protocol.summary}")
        if protocol.caution:
            out.print(Text(f"  caution: {protocol.caution}", "yellow"))
        out.print(Text(f"  {protocol.settings}", "dim"))
        out.print(Text(f"  {protocol.source}", "dim"))
        found = [row for row in rows if row.protocol == protocol.name]
        out.print(
            "  on VGG-SS, cIoU@0.5 % / AUC: "
            + ", ".join(
                f"{r.row} {100 * r.ciou:.2f}" + (f" / {r.auc:.4f}" if r.auc is not None else "")
                for r in found
            )
        )
        out.print()
    out.print(
        "fixed-T takes any T in (0, 1). On Flickr SoundNet the truth is the consensus of the annotators: each"
    )
    out.print(
        "box is half a vote for its pixels, at most 1 (vggss leaderboard --test-set Flickr has its blind rows)."
    )
