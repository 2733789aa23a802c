"""Clips from YouTube: fetched by yt-dlp, cut exactly, checked, and accounted for one by one.

``--fetch sections``, the default, has ffmpeg fetch only the seconds round each clip, with the key frame before
them: 14 s and a few more, whatever the length of the video, where four minutes at 360p are about 15 MB and hours of
it are not rare. ``--fetch whole`` has yt-dlp fetch whole videos by itself: many times the bytes, but with its own
retries, resumption, --rate-limit and SOCKS proxies.

Both give the same frames and the same sound of mp4, webm and separate streams in fragments, which is what YouTube
has: tests/test_download_exact.py reads bar codes and correlates noise, and finds the picture exact to the frame and
the sound to a millisecond. Other containers are cut by their own clock (:func:`vggss.media.cut.cut`). Sections of
MPEG-TS may begin after the clip, as ffmpeg seeks forward in it: such a clip is ``cut_failed``, and ``--fetch whole``
gets it.
"""

from __future__ import annotations

from vggss.download.plan import Plan, free_bytes
from vggss.download.policy import ACCOUNT_LIMIT, GUEST_LIMIT, SLEEP
from vggss.download.programs import YOUTUBE, Programs, Request, find_programs
from vggss.download.run import Manner, Report, download_clips, plan_download

__all__ = [
    "ACCOUNT_LIMIT",
    "GUEST_LIMIT",
    "SLEEP",
    "YOUTUBE",
    "Manner",
    "Plan",
    "Programs",
    "Report",
    "Request",
    "download_clips",
    "find_programs",
    "free_bytes",
    "plan_download",
]
