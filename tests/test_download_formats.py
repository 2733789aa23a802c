"""Which of YouTube's formats yt-dlp takes by our selection: asked of the real yt-dlp, without a network."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from download_cases import programs

from vggss.download.programs import FORMATS, ORDER


def stream(name: str, ext: str, video: str, sound: str, height: int = 0, **more: Any) -> dict[str, Any]:
    size = {"height": height, "width": height * 16 // 9} if height else {}
    address = f"https://rr1.googlevideo.com/{name}"
    return (
        {"format_id": name, "ext": ext, "vcodec": video, "acodec": sound, "url": address, "protocol": "https"}
        | size
        | more
    )


OFFERED = {
    one["format_id"]: one
    for one in (
        stream("18", "mp4", "avc1.42001E", "mp4a.40.2", 360, tbr=550),
        stream("134", "mp4", "avc1.4d401e", "none", 360, tbr=500),
        stream("137", "mp4", "avc1.640028", "none", 1080, tbr=4000),
        stream("160", "mp4", "avc1.4d400c", "none", 144, tbr=100),
        stream("243", "webm", "vp9", "none", 360, tbr=350),
        stream("140", "m4a", "none", "mp4a.40.2", abr=128, language="en", language_preference=10),
        stream("140-dub", "m4a", "none", "mp4a.40.2", abr=128, language="de", language_preference=-1),
        stream("251", "webm", "none", "opus", abr=140, language="en", language_preference=10),
        stream("93", "mp4", "avc1.4d401e", "mp4a.40.2", 360) | {"protocol": "m3u8_native"},
    )
}


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (list(OFFERED), "18"),
        ([name for name in OFFERED if name != "18"], "134+140"),  # H.264 and AAC, not the dubbed sound
        (["137", "160", "243", "140", "251"], "243+140"),  # the size comes first
        (["137", "140"], "137+140"),
        (["93"], "93"),
        (["134"], "134"),  # there is no sound: found out, and told, after the cut
    ],
)
def test_360p_in_h264_and_aac_is_taken_or_the_next_best(
    tmp_path: Path, offered: list[str], taken: str
) -> None:
    info = {"id": "x", "title": "x", "extractor": "youtube", "extractor_key": "Youtube", "_type": "video"}
    formats = [OFFERED[name] for name in offered]
    page = {"webpage_url": "https://www.youtube.com/watch?v=zpWuikVorYg", "formats": formats, "duration": 100}
    (tmp_path / "info.json").write_text(json.dumps(info | page))
    command = [
        *programs().yt_dlp,
        "--ignore-config",
        "--no-update",
        "--load-info-json",
        str(tmp_path / "info.json"),
    ]
    command += ["--format", FORMATS, "--format-sort", ORDER, "--simulate", "--print", "format_id"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert said.stdout.strip() == taken
