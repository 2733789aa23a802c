"""Commands that fetch: clips from YouTube, lists and annotations from their authors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vggss.cli.data import json_option, root_option

if TYPE_CHECKING:
    from vggss.download import Manner, Request
    from vggss.storage import DataRoot

_FURTHER = "vggss.further"  # where the options after -- wait for the command
_INTERRUPTED = 130


class _Download(click.Group):
    """A group that can be called by itself, and hands on what follows ``--``."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            place = args.index("--")
            context.meta[_FURTHER] = tuple(args[place + 1 :])
            args = args[:place]
        return super().parse_args(context, args)

    def collect_usage_pieces(self, context: click.Context) -> list[str]:
        return ["[OPTIONS]", "[-- YT-DLP-OPTIONS]", "[COMMAND]"]


@click.group(cls=_Download, invoke_without_command=True, no_args_is_help=True)
@click.option(
    "--split", metavar="NAME|FILE", help="What to fetch: a split (vggss split lists them), or a file of ids."
)
@click.option(
    "--dry-run", is_flag=True, help="Say what would be fetched: videos, bytes, time. Fetches nothing."
)
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="Only the first N videos that are missing."
)
@click.option(
    "--recheck", is_flag=True, help="Ask again for clips that were gone, too short or without sound."
)
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Videos at a time.")
@click.option(
    "--sleep",
    type=click.FloatRange(0),
    default=12.0,
    show_default=True,
    help="Seconds at least between the starts of two videos, over all jobs; 12 keeps to the 300 videos an hour that "
    "YouTube gives a guest.",
)
@click.option(
    "--retries",
    type=click.IntRange(0),
    default=2,
    show_default=True,
    help="Tries more when the network fails.",
)
@click.option(
    "--pause",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    help="Seconds to pause when YouTube says that we ask too often; doubled each time, with jitter.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(1),
    default=900.0,
    show_default=True,
    help="Seconds for one video at most.",
)
@click.option(
    "--fetch",
    type=click.Choice(["sections", "whole"]),
    help="Fetch only the seconds round each clip, or whole videos (many times the bytes, but resumed, retried "
    "and limited by yt-dlp itself). Default: sections, or whole with --rate-limit or a SOCKS --proxy. Both give the "
    "same clips of what YouTube has (mp4, webm).",
)
@click.option(
    "--cookies",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Cookies of your account; read, never written.",
)
@click.option(
    "--cookies-from-browser", metavar="BROWSER", help="Take the cookies out of a browser: firefox, chrome..."
)
@click.option("--proxy", metavar="URL", help="Fetch through a proxy.")
@click.option("--rate-limit", metavar="RATE", help="Bytes a second for each job: 500K, 2M.")
@click.option(
    "--address", metavar="URL", help="Address of a video, {video} standing for its id (default: YouTube's)."
)
@click.option("--yt-dlp", "yt_dlp", metavar="PATH", help="The yt-dlp program (default: the installed one).")
@click.option(
    "--ffmpeg", metavar="PATH", help="The ffmpeg program (default: on PATH, else imageio-ffmpeg's)."
)
@json_option
@root_option
@click.pass_context
def download(context: click.Context, /, split: str | None, root: Path | None, **options: Any) -> None:
    """Fetch clips from YouTube, and say what became of each of them.

    yt-dlp fetches each video once, however many clips it has; ffmpeg cuts the ten seconds out to the frame; each
    clip is decoded, checked and hashed before it gets its name. A clip that cannot be got is entered with the
    reason: gone (private, removed, copyright...), blocked (bot check, 403), limited, network, no sound, too short.
    Run the same command again at any time: what is here stays, what is gone is not asked again.

    Downloading may be against YouTube's terms, and cookies may cost you the account; report the coverage of your
    copy with your numbers (vggss status --split test). Further options for yt-dlp follow a --, with absolute paths.

    \b
    Example:
      vggss download annotations
      vggss download --split test --dry-run
      vggss download --split test
      vggss download --split vggss --sleep 20 -- --force-ipv4
    """
    from vggss.errors import UsageError
    from vggss.storage import data_root

    if context.invoked_subcommand is not None:
        _refuse_before(context, context.invoked_subcommand)
        return
    if split is None:
        raise UsageError("--split says what to fetch: vggss, test, train..., or a file of ids")
    _fetch_clips(context, split, data_root(root), options)


@download.command("annotations")
@click.option(
    "--from", "source", type=click.Path(path_type=Path), help="Take a local copy: a file or a folder."
)
@click.option("--mirror", metavar="URL", help="Try this base address before the public ones.")
@root_option
def download_annotations(source: Path | None, mirror: str | None, root: Path | None) -> None:
    """Fetch vggss.json, its list of clips and the VGG-Sound lists; check them; put them in the data folder.

    The files come from the repositories of their authors, or from the project page. Each is checked against
    its published SHA-256 (the full VGG-Sound list by its content) and written whole or not at all. With
    --from, a copy of your own goes through the same checks; a folder of Flickr SoundNet XML is taken too.

    \b
    Example:
      vggss download annotations
      vggss download annotations --from ~/Downloads/vggss.json
    """
    from vggss import sources
    from vggss.storage import data_root

    home = data_root(root)
    done = sources.install_annotations(source, home) if source else sources.download_annotations(home, mirror)
    for name, origin in done:
        click.echo(f"{name}: {origin}")
    if absent := [one.name for one in sources.ANNOTATIONS if not home.annotation_file(one.name).is_file()]:
        click.echo(f"still not there: {', '.join(absent)}", err=True)
    click.echo(f"in {home.path}", err=True)


def _refuse_before(context: click.Context, command: str) -> None:
    """Refuse options of the group before one of its commands, which would do nothing."""
    from click.core import ParameterSource

    from vggss.errors import UsageError

    for option in context.command.params:
        if option.name and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"{option.opts[0]} before {command} would do nothing: give `vggss download {command}` its own options "
                f"after its name; clips are fetched by `vggss download --split NAME`, without {command}"
            )


def _fetch_clips(context: click.Context, split: str, root: DataRoot, options: dict[str, Any]) -> None:
    from vggss.cli.meter import meter
    from vggss.cli.show_download import print_plan, print_report
    from vggss.download import download_clips, find_programs, plan_download
    from vggss.progress import Stop, interrupts
    from vggss.splits import clips_of

    clips = [clip.id for clip in clips_of(split, root)]
    manner, request = _manner(options), _request(options, context.meta.get(_FURTHER, ()))
    plan = plan_download(clips, root, manner)
    if options["dry_run"]:
        with_account = options["cookies"] is not None or options["cookies_from_browser"] is not None
        print_plan(plan, split, root, manner, with_account, options["as_json"])
        return
    programs = find_programs(options["yt_dlp"], options["ffmpeg"])
    with interrupts(Stop()) as stop, meter("clips", plan.wanted) as tick:
        report = download_clips(clips, root, programs, request, manner, tick=tick, stop=stop)
    print_report(report, split, root, options["as_json"])
    if report.ended == "interrupted":
        click.echo("stopped; run the same command again to go on", err=True)
        context.exit(_INTERRUPTED)
    if report.ended:
        click.echo(f"vggss: {report.advice}", err=True)
        context.exit(1)


def _manner(options: dict[str, Any]) -> Manner:
    from vggss.download import Manner

    return Manner(
        jobs=options["jobs"],
        sleep=options["sleep"],
        tries=options["retries"] + 1,
        pause=options["pause"],
        recheck=options["recheck"],
        limit=options["limit"],
    )


def _request(options: dict[str, Any], further: tuple[str, ...]) -> Request:
    from vggss.download import YOUTUBE, Request

    needs_whole = bool(options["rate_limit"]) or (options["proxy"] or "").lower().startswith("socks")
    return Request(
        address=options["address"] or YOUTUBE,
        whole=needs_whole if options["fetch"] is None else options["fetch"] == "whole",
        cookies=options["cookies"],
        cookies_from_browser=options["cookies_from_browser"],
        proxy=options["proxy"],
        rate_limit=options["rate_limit"],
        timeout=options["timeout"],
        further=further,
    )
