"""Which options for yt-dlp a user may add: none that takes the naming, the choosing or the addresses from us."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from vggss.errors import UsageError, printable

_OURS = {
    "--proxy": "give --proxy to vggss, before the --",
    "--limit-rate": "give --rate-limit to vggss, before the --",
    "--rate-limit": "give --rate-limit to vggss, before the --",
    "--cookies": "give --cookies to vggss, before the --",
    "--cookies-from-browser": "give --cookies-from-browser to vggss, before the --",
    "--ffmpeg-location": "give --ffmpeg to vggss, before the --",
}
_REFUSED = (
    # what is fetched, and what it is called
    "--output",
    "--paths",
    "--batch-file",
    "--load-info-json",
    "--load-info",
    "--config-locations",
    "--config-location",
    "--alias",
    "--preset-alias",
    "--download-sections",
    "--downloader-args",
    "--external-downloader-args",
    "--download-archive",
    "--yes-playlist",
    "--print-to-file",
    # what is made of it
    "--extract-audio",
    "--remux-video",
    "--recode-video",
    "--split-chapters",
    "--remove-chapters",
    "--sponsorblock-remove",
    "--exec",
    "--exec-before-download",
    "--no-part",
    "--skip-unavailable-fragments",
    "--no-abort-on-unavailable-fragments",
    # what fetches nothing
    "--print",
    "--simulate",
    "--skip-download",
    "--no-download",
    "--dump-json",
    "--dump-single-json",
    "--list-formats",
    "--get-url",
    "--get-id",
    "--get-title",
    "--update",
    "--update-to",
    "--help",
    "--version",
)
_SHORT = {
    "o": "--output",
    "P": "--paths",
    "a": "--batch-file",
    "x": "--extract-audio",
    "s": "--simulate",
    "j": "--dump-json",
    "J": "--dump-single-json",
    "O": "--print",
    "F": "--list-formats",
    "g": "--get-url",
    "e": "--get-title",
    "t": "--preset-alias",
    "U": "--update",
    "h": "--help",
    "r": "--limit-rate",
}
_FLAGS = frozenset("46iqvwckC")  # other letters without a value, which may stand before one of those above
_WHOLE = frozenset({"--downloader", "--external-downloader"})  # names that begin like one of those above
_WITH_ADDRESS = frozenset({"--referer", "--geo-verification-proxy", "--add-header", "--add-headers", "--xff"})


def check_further(options: Sequence[str]) -> None:
    """Refuse further addresses, and options that would take from vggss what it must decide itself.

    ``--format`` and ``--format-sort`` are allowed: they come after ours and win.

    Raises
    ------
    UsageError
        one of them is refused; the message says which, and what to do instead.
    """
    for before, option in pairwise(["", *options]):
        if option == "--":
            raise UsageError("a second -- is not understood: what follows the first one goes to yt-dlp")
        if option.startswith("-"):
            name = _named(option)
            if name in _OURS:
                raise UsageError(f"{printable(option)} after --: {_OURS[name]}")
            if name:
                raise UsageError(f"{printable(option)} after --: {name} is for vggss to decide; leave it out")
        elif _is_address(before, option):
            raise UsageError(
                f"{printable(option)} after -- would be a further address; only options for yt-dlp may follow it "
                f"(what to fetch is said by --split, where by --address)"
            )


def _named(option: str) -> str:
    """Return the long name of an option that is refused, however it is written; else nothing."""
    if option.startswith("--"):
        name = option.partition("=")[0]
        known = [*_OURS, *_REFUSED]
        if name in known:
            return name
        # yt-dlp takes the beginning of a name for the name
        return "" if name in _WHOLE else next((one for one in known if one.startswith(name)), "")
    for letter in option[1:]:
        if letter in _SHORT:
            return _SHORT[letter]
        if letter not in _FLAGS:
            break
    return ""


def _is_address(before: str, given: str) -> bool:
    """Whether something that is no option is no value of the option before it either."""
    if "://" in given or given.startswith(("www.", "ytsearch")):
        return before not in _WITH_ADDRESS
    return not before.startswith("-") or "=" in before
