"""The command that looks at what this machine lacks."""

from __future__ import annotations

from pathlib import Path

import click

from vggss.cli.data import json_option, root_option


@click.command()
@click.option(
    "--cookies", type=click.Path(path_type=Path), metavar="FILE", help="Look at a cookies file too."
)
@click.option("--yt-dlp", "yt_dlp", metavar="PATH", help="The yt-dlp program to look at.")
@click.option("--ffmpeg", metavar="PATH", help="The ffmpeg program to look at.")
@click.option("--offline", is_flag=True, help="Do not try the network.")
@json_option
@root_option
@click.pass_context
def doctor(
    context: click.Context,
    /,
    cookies: Path | None,
    yt_dlp: str | None,
    ffmpeg: str | None,
    offline: bool,
    as_json: bool,
    root: Path | None,
) -> None:
    """Look at what vggss needs on this machine, and say how to mend what is missing.

    yt-dlp and its age, the JavaScript runtime that YouTube needs today, ffmpeg, PyAV, disk space, whether torch
    and torchvision fit, the network, a cookies file. Exit code 1 if something is missing or broken.

    \b
    Example:
      vggss doctor
      vggss doctor --cookies ~/cookies.txt
    """
    from dataclasses import asdict

    from vggss.cli.terminal import console, print_json, table_of
    from vggss.doctor import BAD, examine
    from vggss.storage import data_root

    findings = examine(data_root(root), yt_dlp=yt_dlp, ffmpeg=ffmpeg, cookies=cookies, offline=offline)
    bad = sum(finding.status in BAD for finding in findings)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        table = table_of("", "", "", left=3)
        table.show_header = False
        for finding in findings:
            table.add_row(finding.status, finding.name, finding.found)
            if finding.mend:
                table.add_row("", "", finding.mend)
        console().print(table)
    if bad:
        click.echo(f"{bad} of {len(findings)} must be mended", err=True)
        context.exit(1)
