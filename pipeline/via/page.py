"""Whether a file is the page of VIA 2 that annotators open."""

from __future__ import annotations

_MARK = b"_via_img_metadata"


def is_page(content: bytes) -> bool:
    """Tell VIA 2's own HTML page from anything else that names VIA's things, such as a project that it saved.

    >>> is_page(b"<!DOCTYPE html><script>var _via_img_metadata = {};</script>"), is_page(b'{"_via_img_metadata": {}}')
    (True, False)
    """
    start = content[:2000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    while start.startswith(b"<!--") and b"-->" in start:
        start = start.partition(b"-->")[2].lstrip()
    whole = start.startswith((b"<!doctype html", b"<html"))
    return whole and b"<script" in content.lower() and _MARK in content
