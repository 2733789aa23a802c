"""What yt-dlp says, read: messages as it prints them today, from its source, its issues and a server of ours."""

from __future__ import annotations

import pytest

from vggss.download.failures import SETUP, broke_off, classify
from vggss.ledger import STATES

YT = "ERROR: [youtube] Q1i3iDqIDBQ: "
LOGIN = (
    "Use --cookies-from-browser or --cookies for the authentication. See  https://github.com/yt-dlp/yt-dlp/wiki/FAQ"
    "#how-do-i-pass-cookies-to-yt-dlp  for how to manually pass cookies. Also see  https://github.com/yt-dlp/yt-dlp"
    "/wiki/Extractors#exporting-youtube-cookies  for tips on effectively exporting YouTube cookies"
)
LIMITED = (
    "rate-limited by YouTube for up to an hour. It is recommended to use `-t sleep` to add a delay between video "
    "requests to avoid exceeding the rate limit. For more information, refer to  https://github.com/yt-dlp/yt-dlp"
    "/wiki/Extractors#this-content-isnt-available-try-again-later"
)
NO_RUNTIME = (
    "WARNING: [youtube] No supported JavaScript runtime could be found. Only deno is enabled by default; to use "
    "another runtime add  --js-runtimes RUNTIME[:PATH]  to your command/config. YouTube extraction without a JS "
    "runtime has been deprecated, and some formats may be missing. See  https://github.com/yt-dlp/yt-dlp/wiki/EJS\n"
)
NO_SOLVER = (
    "WARNING: [youtube] 9KH5k5UfZXU: n challenge solving failed: Some formats may be missing. Ensure you have a "
    "supported JavaScript runtime and challenge solver script distribution installed. Review any warnings presented "
    "before this message. For more details, refer to  https://github.com/yt-dlp/yt-dlp/wiki/EJS\n"
    "WARNING: Only images are available for download. use --list-formats to see them\n"
)
NO_FORMAT = f"{YT}Requested format is not available. Use --list-formats for a list of available formats"
REPORT = (
    "; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the appropriate issue "
    "template. Confirm you are on the latest version using  yt-dlp -U"
)

SAID = {
    # gone
    "private": (
        "gone",
        "private",
        f"{YT}Private video. Sign in if you've been granted access to this video. {LOGIN}",
    ),
    "private, short": ("gone", "private", f"{YT}This video is private"),
    "account": (
        "gone",
        "terminated",
        f"{YT}Video unavailable. This video is no longer available because the YouTube account associated with this "
        f"video has been terminated.",
    ),
    "closed": (
        "gone",
        "terminated",
        f"{YT}Video unavailable. This video is no longer available because the uploader has closed their YouTube "
        f"account.",
    ),
    "claim": (
        "gone",
        "copyright",
        f"{YT}Video unavailable. This video is no longer available due to a copyright claim by WMG",
    ),
    "blocked here": (
        "gone",
        "copyright",
        f"{YT}Video unavailable. This video contains content from Paramount Global (CBS), who has blocked it in your "
        f"country on copyright grounds",
    ),
    "country": (
        "gone",
        "region",
        f"{YT}The uploader has not made this video available in your country\nThis video is available in Japan.",
    ),
    "country, content": (
        "gone",
        "region",
        f"{YT}Video unavailable. This video contains content from SME, who has blocked it in your country",
    ),
    "uploader": ("gone", "removed", f"{YT}Video unavailable. This video has been removed by the uploader"),
    "rules": (
        "gone",
        "removed",
        f"{YT}This video has been removed for violating YouTube's Community Guidelines",
    ),
    "terms": ("gone", "removed", f"{YT}This video has been removed for violating YouTube's Terms of Service"),
    "unavailable": ("gone", "unavailable", f"{YT}Video unavailable"),
    "not available": ("gone", "unavailable", f"{YT}Video unavailable. This video is not available"),
    "live": ("gone", "live", f"{YT}This live event has ended."),
    "premiere": ("failed", "not published yet", f"{YT}Premieres in 3 hours"),
    "page": (
        "gone",
        "not found",
        "ERROR: [generic] x: Unable to download webpage: HTTP Error 404: Not Found (caused by <HTTPError 404: Not Found>)",
    ),
    "page, gone for good": (
        "gone",
        "removed",
        "ERROR: [generic] x: Unable to download webpage: HTTP Error 410: Gone (caused by <HTTPError 410: Gone>)",
    ),
    "any more": ("gone", "removed", f"{YT}Video unavailable. This video isn't available anymore"),
    "court": ("gone", "legal", f"{YT}Video unavailable. This video was removed by a court order"),
    "complaint": (
        "gone",
        "legal",
        f"{YT}Video unavailable. This content is not available on this country domain due to a legal complaint.",
    ),
    # blocked
    "address": (
        "blocked",
        "address blocked",
        f"{YT}All player responses are invalid. Your IP is likely being blocked by Youtube",
    ),
    "device": ("blocked", "device", f"{YT}Video unavailable. This video is not available on this device"),
    "workspace": (
        "blocked",
        "workspace",
        f"{YT}Video unavailable. This video is restricted. Please check the Google Workspace administrator and/or the "
        f"network administrator restrictions.",
    ),
    "bot": ("blocked", "bot check", f"{YT}Sign in to confirm you’re not a bot. {LOGIN}"),
    "bot, plain": ("blocked", "bot check", f"{YT}Sign in to confirm you're not a bot. {LOGIN}"),
    "captcha": (
        "blocked",
        "bot check",
        f"{YT}Video unavailable. YouTube is requiring a captcha challenge before playback",
    ),
    "age": (
        "blocked",
        "age check",
        f"{YT}Sign in to confirm your age. This video may be inappropriate for some users. {LOGIN}",
    ),
    "members": (
        "blocked",
        "members only",
        f"{YT}Join this channel to get access to members-only content like this video, and other exclusive perks.",
    ),
    "level": (
        "blocked",
        "members only",
        f"{YT}This video is available to this channel's members on level: Fan (or any higher level).",
    ),
    "premium": ("blocked", "members only", f"{YT}This video is only available to Music Premium members"),
    "sign in": ("blocked", "login", f"{YT}Please sign in. {LOGIN}"),
    "403": ("blocked", "forbidden", "ERROR: unable to download video data: HTTP Error 403: Forbidden"),
    "403 to ffmpeg": (
        "blocked",
        "forbidden",
        "[http @ 0x55bb] HTTP error 403 Forbidden\n[in#0 @ 0x55b] Error opening input: Server returned 403 Forbidden "
        "(access denied)\nError opening input files: Server returned 403 Forbidden (access denied)\n\n"
        "ERROR: ffmpeg exited with code 8",
    ),
    "content": ("blocked", "refused", f"{YT}Video unavailable. This content isn’t available."),
    # limited
    "session": (
        "limited",
        "rate limit",
        f"{YT}Video unavailable. This content isn't available, try again later. The current session has been {LIMITED}",
    ),
    "account limit": (
        "limited",
        "rate limit",
        f"{YT}This content isn't available, try again later. Your account has been {LIMITED}",
    ),
    "try again later": ("limited", "rate limit", f"{YT}This content isn’t available, try again later."),
    "429": (
        "limited",
        "too many requests",
        "ERROR: [generic] x: Unable to download webpage: HTTP Error 429: Too Many Requests (caused by <HTTPError 429: "
        "Too Many Requests>)",
    ),
    "429 to ffmpeg": (
        "limited",
        "too many requests",
        "[http @ 0x55c1] HTTP error 429 Too Many Requests\nError opening input files: Server returned 429 Too Many "
        "Requests\n\nERROR: ffmpeg exited with code 8",
    ),
    # network
    "dns": (
        "network",
        "no such host",
        f"{YT}Unable to download API page: HTTPSConnection(host='www.youtube.com', port=443): Failed to resolve "
        f"'www.youtube.com' ([Errno -2] Name or service not known) (caused by TransportError(\"HTTPSConnection(host="
        f"'www.youtube.com', port=443): Failed to resolve 'www.youtube.com'\"))",
    ),
    "refused": (
        "network",
        "refused",
        "ERROR: [generic] x: Unable to download webpage: HTTPConnection(host='127.0.0.1', port=9): Failed to establish "
        'a new connection: [Errno 111] Connection refused (caused by TransportError("..."))',
    ),
    "500": (
        "network",
        "server error",
        "ERROR: [generic] x: Unable to download webpage: HTTP Error 500: Internal Server Error (caused by <HTTPError "
        "500: Internal Server Error>)",
    ),
    "timeout": (
        "network",
        "timed out",
        f"{YT}Unable to download webpage: The read operation timed out (caused by TransportError('The read operation "
        f"timed out'))",
    ),
    "reset": (
        "network",
        "cut off",
        "ERROR: unable to download video data: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by "
        "peer'))",
    ),
    "short": (
        "network",
        "cut off",
        "ERROR: \r[download] Got error: 63166 bytes read, 518847 more expected. Giving up after 3 retries",
    ),
    "empty": ("network", "cut off", "ERROR: The downloaded file is empty"),
    "portal": ("network", "not a video", "ERROR: Unsupported URL: http://127.0.0.1:44885/watch/hotel"),
    "html to ffmpeg": (
        "network",
        "not a video",
        "[in#0 @ 0x560b] moov atom not found\nError opening input files: Invalid data found when processing input\n\n"
        "ERROR: ffmpeg exited with code 183",
    ),
    "media 404": (
        "network",
        "media not found",
        "ERROR: unable to download video data: HTTP Error 404: Not Found",
    ),
    "certificate": (
        "network",
        "no secure connection",
        f"{YT}Unable to download API page: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed "
        f"certificate (_ssl.c:1006)",
    ),
    # this machine
    "no runtime": ("failed", "no JavaScript runtime", NO_RUNTIME + NO_FORMAT),
    "no solver": ("failed", "no JavaScript runtime", NO_SOLVER + NO_FORMAT),
    "app": (
        "failed",
        "yt-dlp too old",
        f"{YT}The following content is not available on this app.. Watch on the latest version of YouTube.",
    ),
    "player": ("failed", "yt-dlp too old", f"{YT}Unable to extract uploader id{REPORT}"),
    "option": (
        "failed",
        "bad option",
        "Usage: __main__.py [OPTIONS] URL [URL...]\n\n__main__.py: error: no such option: --force-ipv5\n",
    ),
    "option, named otherwise": (
        "failed",
        "bad option",
        "yt-dlp_linux: error: invalid rate limit specified\n",
    ),
    "no module": ("failed", "no yt-dlp", "/usr/bin/python3: No module named yt_dlp"),
    "disk": ("failed", "disk full", "ERROR: unable to write data: [Errno 28] No space left on device"),
    "broken disk": ("failed", "disk error", "ERROR: unable to write data: [Errno 5] Input/output error"),
    "forbidden folder": (
        "failed",
        "no access",
        "ERROR: unable to open for writing: [Errno 13] Permission denied: '8.mp4.part'",
    ),
    "firewall": (
        "network",
        "refused",
        "ERROR: [generic] x: Unable to download webpage: HTTPConnection(host='h', port=80): Failed to establish a new "
        "connection: [Errno 13] Permission denied",
    ),
    "files": (
        "failed",
        "too many files",
        "ERROR: unable to open for writing: [Errno 24] Too many open files: 'x'",
    ),
    "playlist": ("failed", "not a video", "ERROR: [youtube:tab] PLx: The playlist does not exist."),
    "format": ("failed", "no format", NO_FORMAT),
    "drm": ("failed", "protected", f"{YT}This video is DRM protected"),
    "unknown": ("failed", "unknown", f"{YT}Something nobody has seen{REPORT}"),
    "nothing": ("failed", "unknown", ""),
}


@pytest.mark.parametrize("name", SAID)
def test_a_message_has_its_state_and_reason(name: str) -> None:
    state, reason, said = SAID[name]
    found = classify("WARNING: [generic] Falling back on generic information extractor\n" + said)
    assert (found.state, found.reason) == (state, reason)
    assert found.state in STATES
    assert found.message and "\n" not in found.message and len(found.message) < 500


@pytest.mark.parametrize("name", ["no runtime", "no solver", "app", "player", "option"])
def test_what_no_video_can_get_past_says_how_to_mend_it(name: str) -> None:
    found = classify(SAID[name][2])
    assert found.is_setup
    assert found.message.endswith(SETUP[found.reason])


def test_an_id_that_looks_like_a_word_decides_nothing() -> None:
    assert classify("ERROR: [youtube] -TLS-SSL-AB: Something nobody has seen").reason == "unknown"


def test_the_last_error_is_kept_without_the_advice_of_yt_dlp() -> None:
    said = f"ERROR: first\n{YT}Sign in to confirm you’re not a bot. {LOGIN}\n"
    assert classify(said).message == "[youtube] Q1i3iDqIDBQ: Sign in to confirm you’re not a bot"


def test_a_private_video_is_not_taken_for_a_missing_login() -> None:
    assert classify(f"{YT}Private video. Sign in if you've been granted access").state == "gone"


def test_escapes_and_endless_lines_do_not_reach_the_ledger() -> None:
    message = classify("\x1b[0;31mERROR:\x1b[0m [youtube] a: " + "x" * 5000 + "\x07").message
    assert message.isprintable() and len(message) == 300


def test_ffmpeg_that_lost_its_input_is_heard_although_yt_dlp_ended_well() -> None:
    lost = broke_off(
        "[http @ 0x55] Stream ends prematurely at 653803, should be 1037693\n"
        "[in#0/mov,mp4 @ 0x55] Error during demuxing: Input/output error\n"
    )
    assert lost is not None and (lost.state, lost.reason) == ("network", "cut off")
    assert broke_off("frame= 542 fps=0.0 q=-1.0 Lsize= 205KiB time=00:00:15.02\n") is None
