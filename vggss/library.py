"""Benchmarks and lists by name: which file a name means, and which clips a subset takes."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from vggss.annotations import SAMPLE, open_set_side, sound_classes
from vggss.benchmark import VGGSS_SHA256, Annotation, Benchmark, load_annotations, read_file, reading
from vggss.catalog import read_list
from vggss.clip_id import canonical
from vggss.errors import DataError, UsageError, brief, counted, some
from vggss.flickr import load_flickr
from vggss.storage import DataRoot, data_root

NAMES = ("vggss", "flickr", "sample")


def load_benchmark(name: str | Path = "vggss", root: DataRoot | None = None) -> Benchmark:
    """Open a benchmark.

    Parameters
    ----------
    name
        ``vggss``, ``flickr`` (both from the data folder), ``sample`` (ships with the package), or a path:
        a file in the format of ``vggss.json``, or a folder of Flickr SoundNet XML.
    root
        the data folder; found as ``vggss where`` says if not given.

    Raises
    ------
    DataError
        the file is not there or malformed. UsageError: neither a name nor a path.
    """
    root = root or data_root()
    with reading(root.path if name in NAMES else Path(name)):
        return _load(name, root)


def _load(name: str | Path, root: DataRoot) -> Benchmark:
    if name == "sample":
        return load_annotations(SAMPLE / "sample.json", "sample")
    if name == "vggss":
        path = root.annotation_file("vggss.json")
        if not path.is_file():
            raise DataError(
                f"vggss.json is not in {root.annotations}; run `vggss download annotations` "
                f"(or add --from PATH for a copy that you have), or try --benchmark sample"
            )
        opened = load_annotations(path)
        if opened.sha256 != VGGSS_SHA256:
            raise DataError(
                f"{path} is not the published vggss.json (its SHA-256 is {opened.sha256}); run `vggss download "
                f"annotations`, or name this file on purpose: --benchmark {path}"
            )
        return opened
    if name == "flickr":
        if not root.flickr.is_dir():
            raise DataError(
                f"the Flickr SoundNet test set is not in {root.flickr}; get its XML files from "
                f"github.com/ardasnck/learning_to_localize_sound_source and run "
                f"`vggss download annotations --from FOLDER`, or pass the folder as --benchmark FOLDER"
            )
        return load_flickr(root.flickr)
    path = Path(name)
    if path.is_dir():
        return load_flickr(path, path.resolve().name)
    if path.exists():
        return load_annotations(path)
    raise UsageError(
        f"no benchmark and no file is named {name}; there are {', '.join(NAMES)}, or give a path"
    )


def take_subset(benchmark: Benchmark, subset: str) -> Benchmark:
    """Take the clips of a subset: ``heard``, ``unheard``, ``single``, ``multi``, ``class=NAME``, ``ids=FILE``.

    Heard and unheard are the sides of the open-set experiment (110 classes each); single and multi count
    boxes.

    Raises
    ------
    UsageError
        the subset or class is unknown. DataError: it takes no clip, or the list names unknown clips.
    """
    chosen: list[int]
    clips = benchmark.annotations
    kind, _, argument = subset.partition("=")
    if subset in ("heard", "unheard"):
        chosen = [i for i, a in enumerate(clips) if open_set_side(a.sound_class) == subset]
    elif subset == "single":
        chosen = [i for i, a in enumerate(clips) if len(a.boxes) == 1]
    elif subset == "multi":
        chosen = [i for i, a in enumerate(clips) if len(a.boxes) > 1]
    elif kind == "class" and argument:
        chosen = [i for i, a in enumerate(clips) if a.sound_class == argument]
        if not chosen:
            near = sorted({a.sound_class for a in clips if argument.lower() in a.sound_class.lower()})
            hint = f"; did you mean {some(near)}?" if near else ""
            raise UsageError(f"{benchmark.name} has no clips of class {argument!r}{hint}")
    elif kind == "ids" and argument:
        chosen = _listed(benchmark, Path(argument))
    else:
        raise UsageError(
            f"no subset is named {subset!r}; there are heard, unheard, single, multi, class=NAME, ids=FILE"
        )
    if not chosen:
        raise DataError(
            f"the subset {subset} takes none of the {counted(len(clips), 'clip')} of {benchmark.name}"
        )
    return benchmark.take(chosen, subset)


def _listed(benchmark: Benchmark, path: Path) -> list[int]:
    rows = read_list(path)
    unknown = [row.clip for row in rows if row.clip not in benchmark]
    if unknown:
        raise DataError(
            f"{path} names {counted(len(unknown), 'clip')} not in {benchmark.name} ({some(unknown)})"
        )
    return sorted({benchmark.place(row.clip) for row in rows})


def with_negatives(benchmark: Benchmark, path: Path) -> Benchmark:
    """Add clips where nothing visible sounds, for SLAVC's detection metrics.

    Parameters
    ----------
    benchmark
        the positives.
    path
        a CSV with the columns ``video`` and ``audio`` (SLAVC's ``vggss_test_plus_silent.csv``): the frame
        of one clip with the sound of another. Its prediction is named ``VIDEO+AUDIO``, or ``VIDEO`` where
        both are the same clip.

    Raises
    ------
    DataError
        a column or a value is missing, or a clip is a positive already.
    """
    table = csv.DictReader(_text(path))
    try:
        if not {"video", "audio"} <= set(table.fieldnames or ()):
            raise DataError(f"{path} needs the columns video and audio, found {brief(table.fieldnames)}")
        negatives = [_negative(row, f"{path}, line {table.line_num}") for row in table]
    except csv.Error as error:
        raise DataError(f"{path}, line {table.line_num}: {error}; a CSV was needed") from error
    both = benchmark.annotations + tuple(negatives)
    label = f"{benchmark.subset}, with negatives" if benchmark.subset else "with negatives"
    return Benchmark(benchmark.name, both, benchmark.consensus, benchmark.sha256, benchmark.origin, label)


def _negative(row: dict[str, str], where: str) -> Annotation:
    video, audio = (canonical(row[key] or "") or (row[key] or "").strip() for key in ("video", "audio"))
    if not video or not audio:
        raise DataError(f"{where}: video or audio is empty")
    return Annotation(video if video == audio else f"{video}+{audio}", row.get("label") or "none", ())


def listed_classes(root: DataRoot) -> dict[str, str] | None:
    """Return clip to class from the VGG-Sound test list in the data folder; None if it is not there."""
    path = root.annotation_file("vggsound_test.csv")
    with reading(path):
        if not path.is_file():
            return None
    table = csv.reader(_text(path))
    try:
        return {canonical(row[0]) or row[0]: row[1] for row in table if len(row) > 1}
    except csv.Error as error:
        raise DataError(
            f"{path}, line {table.line_num}: {error}; a CSV of id and class was needed"
        ) from error


def _text(path: Path) -> io.StringIO:
    try:
        return io.StringIO(read_file(path).decode("utf-8-sig"), newline="")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text; a CSV was needed") from error


def known_classes() -> set[str]:
    """Return the names of VGG-Sound's 309 classes."""
    return set(sound_classes())
