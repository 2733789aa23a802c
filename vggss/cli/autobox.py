"""The command of stage 1: a detector proposes boxes on the frames of a split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vggss.cli.data import json_option, root_option

if TYPE_CHECKING:
    from rich.table import Table

    from vggss.pipeline.autobox import Rules, Summary
    from vggss.pipeline.detector import DetectorSpec
    from vggss.pipeline.detector.records import Kind
    from vggss.storage import DataRoot

_COCO = "coco:"


@click.command()
@click.option(
    "--split", required=True, metavar="NAME|FILE", help="Clips of the data folder: a split, or a list of ids."
)
@click.option(
    "--detector",
    default="frcnn",
    show_default=True,
    metavar="NAME",
    help="frcnn (601 classes, 8 s a frame on a core), ssd (23 classes, light), or coco:FILE, detections that you have.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Of the detector (default: what `vggss download detector` has fetched).",
)
@click.option(
    "--device", default="auto", show_default=True, metavar="DEVICE", help="cpu, cuda, cuda:1...; frcnn only."
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    default="fp32",
    show_default=True,
    help="Of the network; frcnn only.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 256),
    metavar="CLIPS",
    help="Clips in a job (default: 4; on a GPU 16), and there frames at once (default: 8).",
)
@click.option(
    "--propose",
    "threshold",
    type=click.FloatRange(0.05, 1),
    default=0.3,
    show_default=True,
    metavar="SCORE",
    help="Propose boxes from this score on; what scores .05 stays in the record.",
)
@click.option(
    "--workers",
    type=click.IntRange(0, 1024),
    help="Processes (default: by the detector; 0: none but this one).",
)
@click.option(
    "--ray", metavar="ADDRESS", help="Work on a Ray cluster: auto, HOST:PORT, or local to start one here."
)
@click.option("--limit", type=click.IntRange(1), metavar="CLIPS", help="Look at so many now, at most.")
@click.option("--again", is_flag=True, help="Try again what gave an error before.")
@click.option("--vectors", type=click.Path(path_type=Path), metavar="FILE", help="Other word vectors.")
@click.option(
    "--no-overrides", is_flag=True, help="Match classes by word vectors alone, without the reviewed table."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="All candidates as JSON (default: ROOT/autobox/candidates.json).",
)
@json_option
@root_option
def autobox(
    split: str,
    detector: str,
    weights: Path | None,
    device: str,
    precision: str,
    batch: int | None,
    threshold: float,
    workers: int | None,
    ray: str | None,
    limit: int | None,
    again: bool,
    vectors: Path | None,
    no_overrides: bool,
    out: Path | None,
    as_json: bool,
    root: Path | None,
) -> None:
    """Propose boxes on the frame of every clip, and say which clips need an annotator (stage 1).

    The detector looks at the frame at mid-clip; what it calls by a class that matches the sound class (`vggss match`)
    is proposed. A clip is decided auto (boxes of the best match alone, each .5 or more, fewer than five), person (an
    annotator must look; it says why), excluded (the class has no visible object) or error. The paper gives no
    thresholds: these are ours, and each row of the ledger says which it was made with.

    Everything goes to the ledger, with all raw detections, and to ROOT/autobox/candidates.json. What is there already is
    not done again; with another --propose, or other matches, no frame is looked at again. A run that was stopped or
    killed goes on when the same command is given. What another detector found is kept: its command makes it stand again,
    and an error never takes its place. Exit code 1 if a clip gave an error, 130 after Ctrl-C.

    \b
    Example:
      vggss autobox --split test
      vggss autobox --split test --device cuda --precision bf16
      vggss autobox --split mine.txt --detector ssd --weights ssd_oidv4.tflite
      vggss autobox --split test --detector coco:detections.json
    """
    from vggss.cli.meter import meter
    from vggss.pipeline.autobox import Request
    from vggss.pipeline.autobox import autobox as run
    from vggss.progress import Stop, interrupts
    from vggss.splits import clips_of
    from vggss.storage import data_root

    home = data_root(root)
    request = Request(
        spec=_spec(detector, weights, device, precision, ray, home),
        rules=_rules(threshold),
        vectors=vectors,
        overrides=not no_overrides,
        workers=workers,
        ray=ray,
        batch=batch,
        limit=limit,
        again=again,
        out=out,
    )
    clips = clips_of(split, home)
    with interrupts(Stop()) as stop:
        summary = run(clips, home, request, stop=stop, meter=lambda total: meter("clips", total))
    _say(summary, split, as_json)


def _rules(threshold: float) -> Rules:
    from vggss.errors import UsageError
    from vggss.pipeline.autobox import Rules

    try:
        return Rules(threshold=threshold)
    except ValueError as error:  # NaN is not below any limit
        raise UsageError(f"--propose: {error}") from error


def _spec(
    detector: str, weights: Path | None, device: str, precision: str, ray: str | None, home: DataRoot
) -> DetectorSpec:
    """Return which detector is meant, and where it runs."""
    from vggss.errors import UsageError, printable
    from vggss.pipeline.detector import DetectorSpec, default_weights

    if detector.startswith(_COCO) and detector != _COCO:
        if weights is not None:
            raise UsageError(f"--weights is for a network; {printable(detector)} names its file itself")
        weights, detector = Path(detector.removeprefix(_COCO)), "coco"
    elif detector not in ("frcnn", "ssd"):
        raise UsageError(f"no detector is called {printable(detector)}; there are frcnn, ssd and coco:FILE")
    if detector != "frcnn":
        if device not in ("auto", "cpu"):
            raise UsageError(f"--device {printable(device)} is for frcnn; {detector} works on the CPU")
        if precision != "fp32":
            raise UsageError(f"--precision {precision} is for frcnn; {detector} works in fp32")
        device = "cpu"
    kind: Kind = "coco" if detector == "coco" else "ssd" if detector == "ssd" else "frcnn"
    return DetectorSpec(
        kind=kind,
        weights=weights or default_weights(kind, home),
        device=_device(device, ray),
        precision=precision,  # type: ignore[arg-type]  # click has checked it
    )


def _device(device: str, ray: str | None) -> str:
    """Return where the network runs: on the GPU if there is one, unless cores of a cluster are asked for."""
    if device != "auto":
        return device
    if ray is not None:
        return "cpu"
    try:
        import torch
    except ImportError:  # opening the detector says what to install
        return "cpu"
    return "cuda" if torch.cuda.is_available() else "cpu"


def _say(summary: Summary, split: str, as_json: bool) -> None:
    import sys

    from vggss.cli.terminal import print_json

    if as_json:
        print_json(_document(summary))
    else:
        _print(summary, split)
    if summary.interrupted:
        click.echo("stopped; what is done is kept: the same command goes on from here", err=True)
        sys.exit(130)
    if summary.stage.decisions["error"] or summary.ran.kept:
        sys.exit(1)


def _document(summary: Summary) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "detector": summary.detector,
        "clips": summary.clips,
        "absent": dict(summary.absent),
        "looked": summary.ran.looked,
        "decided_anew": summary.ran.decided,
        "stand_again": summary.ran.stood,
        "errors_kept_off": [{"clip": clip, "why": why} for clip, why in summary.ran.kept],
        "done_before": summary.done,
        "left": summary.ran.left,
        "seconds": round(summary.ran.seconds, 3),
        "stage_1": asdict(summary.stage),
        "examples": {decision: [asdict(one) for one in told] for decision, told in summary.examples.items()},
        "interrupted": summary.interrupted,
        "out": str(summary.out),
    }


def _print(summary: Summary, split: str) -> None:
    from vggss.cli.terminal import console
    from vggss.errors import printable

    out, ran, stage = console(), summary.ran, summary.stage
    here = summary.clips - sum(summary.absent.values())
    out.print(f"{here:,} of {summary.clips:,} clips of {printable(split)} are here")
    for reason, number in summary.absent.items():
        out.print(f"  not here: {number:,} {printable(reason)}")
    each = f", {ran.seconds / ran.looked:.2f} s each" if ran.looked else ""
    out.print(
        f"looked at now: {ran.looked:,}{each}; decided anew: {ran.decided:,}; as before: {summary.done:,}"
    )
    if ran.stood:
        out.print(f"found by this detector before and standing again: {ran.stood:,}")
    out.print(f"detector: {printable(summary.detector)}")
    out.print()
    out.print(_decisions(summary))
    out.print()
    out.print(_stage_row(summary))
    out.print()
    out.print(f"boxes: {stage.raw or 0:,} seen, {stage.proposed:,} proposed; all in {summary.out}")
    _print_what_next(summary)


def _decisions(summary: Summary) -> Table:
    from vggss.cli.terminal import table_of
    from vggss.errors import printable

    table = table_of("decision", "clips", "for example")
    table.columns[2].justify = "left"
    table.columns[2].no_wrap = False
    for decision, number in summary.stage.decisions.items():
        told = summary.examples.get(decision, ())
        table.add_row(decision, f"{number:,}", "\n".join(f"{printable(one.clip)}: {one.why}" for one in told))
    return table


def _stage_row(summary: Summary) -> Table:
    from vggss.cli.terminal import table_of
    from vggss.pipeline.autobox import PAPER

    stage = summary.stage
    table = table_of("stage 1 (Table 2)", "classes", "videos", "automatic")
    table.add_row("here", f"{stage.classes:,}", f"{stage.videos:,}", f"{stage.decisions['auto']:,}")
    table.add_row(
        "in the paper", f"{PAPER['classes']:,}", f"{PAPER['videos']:,}", f"about {PAPER['automatic']:,}"
    )
    return table


def _print_what_next(summary: Summary) -> None:
    from vggss.errors import counted, printable

    ran, stage = summary.ran, summary.stage
    for clip, why in ran.kept[:1]:
        number = counted(len(ran.kept), "clip")
        told = f"{number} gave an error now and keep what was found on them before; the first: {printable(clip)}: {why}"
        click.echo(told, err=True)
    if summary.failed:
        click.echo(
            f"errors of an earlier run, not tried again: {summary.failed:,}; --again tries them", err=True
        )
    if ran.left and not summary.interrupted:
        click.echo(f"left for another run: {ran.left:,} clips (--limit)", err=True)
    if stage.videos and not summary.interrupted:
        click.echo("next: `vggss via export` makes projects for the annotators", err=True)
