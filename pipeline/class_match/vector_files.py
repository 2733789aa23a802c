"""Word vectors out of a word2vec or GloVe file, through gensim."""

from __future__ import annotations

import codecs
import gzip
import logging
import re
import tempfile
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from vggss.errors import DataError, UsageError, brief
from vggss.pipeline.class_match.kinds import kinds
from vggss.pipeline.class_match.vectors import Vectors, share_known, unit_rows
from vggss.pipeline.class_match.words import IRREGULAR, phrases

log = logging.getLogger(__name__)

WORDS_READ = 1_000_000
"""The commonest words come first in these files; the rest of GoogleNews' 3,000,000 are names and misspellings."""

NUMBERS_READ = 300_000_000  # 1.2 GB
WIDEST = 4096  # numbers in a vector
HEAD = 2**20  # bytes that are looked at to tell the format
GZIP_MOST = 1032  # bytes that one byte of gzip can become
TEXT_MOST = 32 * 2**30  # bytes of a text; GloVe's largest has 5.6 GB
TOO_FEW = 0.2
"""Share of the detector's words below which a file is refused: it is of another language, or not of words."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written: with ``words`` and ``numbers`` in its first line, or without (GloVe); binary or text."""

    binary: bool
    has_header: bool
    words: int  # 0 where no header says
    numbers: int


def load_vectors(path: Path, names: Iterable[str]) -> Vectors:
    """Load the vectors of the words in some sound classes and in the detector's names.

    Parameters
    ----------
    path
        word2vec text or binary, or GloVe text with or without a header; plain or ``.gz``.
    names
        sound classes.

    Raises
    ------
    DataError
        the file is missing, broken, of another format, or knows hardly any of the words. UsageError: gensim is
        not installed.
    """
    wanted = needed_words(names)
    file = read_file(path, {form for forms in wanted.values() for form in forms})
    chosen = {
        word: form
        for word, forms in wanted.items()
        if (form := next((form for form in forms if form in file), None)) is not None
    }
    table = np.array([file[form] for form in chosen.values()], dtype=np.float32)
    rows = unit_rows(list(chosen), table) if chosen else {}
    found = Vectors(path.name, rows)
    named = {word for kind in kinds().values() for word in kind.words}
    share = share_known(found, named)
    if share < TOO_FEW:
        raise DataError(
            f"{path} knows {sum(word in found for word in named)} of the {len(named)} words in the detector's class "
            "names, too few to match anything; needed are vectors of English words, such as GloVe or "
            "`vggss download vectors`"
        )
    if share < 0.8:
        log.warning(
            "%s knows only %.0f %% of the words in the detector's class names", path.name, 100 * share
        )
    return found


def needed_words(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the words that the matcher asks for, each with the forms under which a file may have it."""
    words = {word for name in names for phrase in phrases(name) for word in phrase.words}
    words |= {word for kind in kinds().values() for word in kind.words}
    plurals = {base: plural for plural, base in IRREGULAR.items()}
    return {
        word: tuple(
            dict.fromkeys(
                (
                    word,
                    word.capitalize(),
                    plurals.get(word, f"{word}s"),
                    f"{word}es",
                    f"{word[:-1]}ies",
                    word.upper(),
                )
            )
        )
        for word in sorted(words)
    }


def read_file(path: Path, forms: Collection[str] | None = None) -> Any:
    """Read a file as gensim's ``KeyedVectors``.

    Of a text only the words in ``forms`` are handed to gensim (None: all), which would parse every number of a
    million lines; of a binary file the commonest :data:`WORDS_READ`.

    Raises
    ------
    DataError
        the file is missing, broken or of another format. UsageError: gensim is not installed.
    """
    layout, packed = layout_of(path)
    try:
        from gensim.models import KeyedVectors
    except ImportError as error:
        raise UsageError(
            "gensim is not installed, and it reads files of word vectors; pip install 'vggss[autobox]', "
            "or leave --vectors out: the vectors that ship with vggss need nothing"
        ) from error
    try:
        with tempfile.TemporaryDirectory(prefix="vggss-vectors-") as folder:
            plain = _plain_name(path, packed, Path(folder)) if layout.binary else Path(folder) / "chosen.txt"
            if not layout.binary:
                _choose_lines(path, packed, layout, forms, plain)
            return KeyedVectors.load_word2vec_format(
                str(plain),
                binary=layout.binary,
                unicode_errors="replace",
                limit=max(1, min(WORDS_READ, NUMBERS_READ // layout.numbers)),
            )
    except (OSError, EOFError, ValueError, ArithmeticError, AssertionError, LookupError, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read as word vectors: {_said(error)}; it looks like "
            f"{_described(layout)}; fetch it again, or convert it to the word2vec format"
        ) from error


def _plain_name(path: Path, packed: bool, folder: Path) -> Path:
    """Return the file under a name that tells gensim whether it is packed; gensim goes by the extension alone."""
    if (path.suffix.lower() == ".gz") == packed and (
        packed or path.suffix.lower() in ("", ".bin", ".txt", ".vec")
    ):
        return path.resolve()
    link = folder / ("vectors.bin.gz" if packed else "vectors.bin")
    link.symlink_to(path.resolve())
    return link


def _choose_lines(path: Path, packed: bool, layout: Layout, forms: Collection[str] | None, out: Path) -> None:
    """Copy the lines of some words out of a text, as word2vec text.

    A word that is not asked for may have spaces in it, as a few of GloVe's 840B have.
    """
    wanted = None if forms is None else {form.encode() for form in forms}
    chosen: dict[bytes, bytes] = {}
    lines = read = 0
    with _opened(path, packed) as stream:
        if layout.has_header:
            read += len(stream.readline(HEAD))
        while line := stream.readline(HEAD):
            line = line if lines or layout.has_header else line.removeprefix(codecs.BOM_UTF8)
            read += len(line)
            if read > TEXT_MOST or (layout.words and lines >= layout.words and line.strip()):
                raise ValueError(f"it goes on after line {lines:,}, where it should end")
            if len(line) == HEAD:
                raise ValueError(f"line {lines + 1:,} is longer than {HEAD:,} bytes")
            lines += 1
            word, _, numbers = line.rstrip().partition(b" ")
            if wanted is None or word in wanted:
                if _numbers_in(line) != layout.numbers:
                    raise ValueError(f"line {lines:,} has not {layout.numbers} numbers behind its word")
                chosen.setdefault(word, numbers)
    if lines < layout.words:
        raise ValueError(f"{layout.words:,} words are announced, {lines:,} are there")
    with out.open("wb") as text:
        text.write(b"%d %d\n" % (len(chosen) + 1, layout.numbers))
        text.write(b"".join(b"%s %s\n" % line for line in chosen.items()))
        text.write(b"\xe2\x81\xa3" + b" 0" * layout.numbers + b"\n")  # gensim refuses a file of no words


def layout_of(path: Path) -> tuple[Layout, bool]:
    """Tell the format of a file by its first lines, and whether it is packed by gzip.

    Raises
    ------
    DataError
        the file is missing, empty, compressed otherwise than by gzip, or of another format.
    """
    head, packed = _head(path)
    if not head:
        raise DataError(f"{path} is empty; a word2vec or GloVe file is needed")
    if head.startswith((b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")):
        raise DataError(
            f"{path} is a compressed archive; unpack it and give the file in it (only .gz is read as it is)"
        )
    first, _, rest = head.removeprefix(codecs.BOM_UTF8).partition(b"\n")
    header = re.fullmatch(rb"\s*(\d{1,12})\s+(\d{1,9})\s*", first)
    if header:
        return _with_header(path, int(header[1]), int(header[2]), rest, packed), packed
    numbers = _numbers_in(first)
    if numbers is None or numbers < 2:
        raise DataError(
            f"{path} is not a file of word vectors: its first line is {brief(first[:40].decode(errors='replace'))}; "
            "needed is a word2vec file (two counts in the first line) or a GloVe file (a word and its numbers)"
        )
    if numbers > WIDEST:
        raise DataError(f"{path} has vectors of {numbers:,} numbers; at most {WIDEST:,} are read")
    return Layout(binary=False, has_header=False, words=0, numbers=numbers), packed


def _with_header(path: Path, words: int, numbers: int, rest: bytes, packed: bool) -> Layout:
    if words < 1 or not 2 <= numbers <= WIDEST:
        raise DataError(
            f"{path} announces {words:,} words of {numbers:,} numbers; needed are one word or more, "
            f"of 2 to {WIDEST:,} numbers"
        )
    binary = _numbers_in(rest.partition(b"\n")[0]) != numbers
    smallest = words * (4 * numbers + 2 if binary else 2 * numbers + 2)
    size = path.stat().st_size
    if size * (GZIP_MOST if packed else 1) < smallest:
        raise DataError(
            f"{path} announces {words:,} words of {numbers:,} numbers, at least {smallest:,} bytes, and has "
            f"{size:,}{', packed,' if packed else ''} which cannot hold them: it is cut short; fetch it again"
        )
    return Layout(binary, has_header=True, words=words, numbers=numbers)


def _head(path: Path) -> tuple[bytes, bool]:
    """Return the beginning of a file, unpacked, and whether it was packed by gzip."""
    try:
        if not path.is_file():
            raise DataError(f"{path} is not a file; give a word2vec or GloVe file, or leave --vectors out")
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with _opened(path, packed) as stream:
            return stream.read(HEAD), packed
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {_said(error)}") from error


def _opened(path: Path, packed: bool) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if packed else path.open("rb")


def _numbers_in(line: bytes) -> int | None:
    """Count the numbers after the word in a line of text; None where it is no such line."""
    try:
        parts = line.decode().rstrip().split(" ")
        return len([float(part) for part in parts[1:]])
    except ValueError:
        return None


def _described(layout: Layout) -> str:
    kind = "word2vec binary" if layout.binary else "word2vec text" if layout.has_header else "GloVe text"
    count = f"{layout.words:,} words of " if layout.words else ""
    return f"{kind}, {count}{layout.numbers} numbers"


def _said(error: Exception) -> str:
    text = str(getattr(error, "strerror", None) or error) or type(error).__name__
    return text if text.isprintable() and len(text) <= 200 else brief(text)
