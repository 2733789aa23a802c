"""Make annotations/class_vectors.npz: GloVe vectors (PDDL) of the class names' words and of the words nearest to them.

Usage: python benchmarks/make_class_vectors.py GLOVE_FILE   (100 numbers a word; any format gensim reads)
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import numpy as np

from vggss.annotations import CLASS_VECTORS, sound_classes
from vggss.atomic import write_bytes
from vggss.pipeline.class_match.kinds import kinds
from vggss.pipeline.class_match.vector_files import needed_words, read_file

WORDS = 1750  # 200 bytes each


def main(source: Path) -> None:
    """Write the file: first the words that the matcher asks for, then the nearest to the detector's names."""
    file = read_file(source)
    needed = sorted(
        word for word, forms in needed_words(sound_classes()).items() if any(f in file for f in forms)
    )
    forms = needed_words(sound_classes())
    rows = {word: file[next(form for form in forms[word] if form in file)] for word in needed}
    names = {word for kind in kinds().values() for word in kind.words if word in rows}
    centre = np.stack([rows[word] / np.linalg.norm(rows[word]) for word in sorted(names)])
    rest = [word for word in file.index_to_key if word not in rows and re.fullmatch("[a-z]{3,}", word)]
    table = np.stack([file[word] for word in rest])
    close = (table / np.linalg.norm(table, axis=1, keepdims=True) @ centre.T).max(axis=1)
    for place in np.argsort(-close, kind="stable")[: max(0, WORDS - len(rows))]:
        rows[rest[place]] = table[place]
    words = sorted(rows)
    content = io.BytesIO()
    np.savez_compressed(
        content,
        words=np.frombuffer("\n".join(words).encode(), dtype=np.uint8),
        vectors=np.stack([rows[word] for word in words]).astype(np.float16),
    )
    write_bytes(CLASS_VECTORS, content.getvalue())
    print(
        f"{CLASS_VECTORS}: {len(words)} words, {len(needed)} of them needed, {len(content.getvalue()):,} bytes"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
