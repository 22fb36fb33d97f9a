"""Looking after a data folder: is it sound, make its vectors again, copy it, bring a copy back.

Knows what must agree with what, and the form of a backup. Does not know where articles come from.

A backup is a ZIP file with `library.db`, `names.txt` if there is one, and `manifest.json` with their digests. The
search index is not in it: it is made again from the library.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from langchain_core.embeddings import Embeddings

from vectorstore.article import Article
from vectorstore.database import FILE, FORMAT, LibraryError, exists, unwritable
from vectorstore.library import Placed
from vectorstore.store import LOCK_SECONDS, Store, locked, place
from vectorstore.timestamps import utc_now
from vectorstore.vectors import BATCH

NAMES = "names.txt"
LOGS = ("-wal", "-shm", "-journal")  # what SQLite writes beside its file
MANIFEST = "manifest.json"
ALIKE = 0.999  # least cosine of a vector in the index to the stored one, which has 16 bits a number
TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did: how many vectors are in use, and how many of them were embedded anew."""

    vectors: int
    embedded: int


def check(store: Store, on_progress: Callable[[int, int], None] = lambda _done, _total: None) -> list[str]:
    """What is wrong in a data folder, a line each; empty if library, full text and vectors agree.

    `on_progress` hears how many versions are done, of how many.
    """
    library = store.library
    with library.snapshot():
        found = list(library.faults())
        if library.purge_is_due():
            found.append("a deletion was broken off: the next ingest or --rebuild takes the last vectors of it out")
        total = sum(1 for _ in library.every_version())
        sound: dict[str, bool] = {}
        for done, article in enumerate(library.every_version(), 1):
            found += (f"{article.source}, version {article.version}: {fault}" for fault in _faults(article))
            placed = library.placed(article.id, article.version)
            found += (f"{article.source}, version {article.version}: {fault}" for fault in _misplaced(article, placed))
            names = [name for one in placed for name in (one.vector, *one.sentence_vectors) if name not in sound]
            stored = library.vectors(names)
            sound |= {name: name in stored and _is_unit(stored[name]) for name in names}
            bad = sum(
                not sound[name] for name in {name for one in placed for name in (one.vector, *one.sentence_vectors)}
            )
            if bad:
                found.append(f"{article.source}, version {article.version}: {bad} vectors are missing or damaged")
            on_progress(done, total)
        wanted = {name for names, _ in library.indexed_vectors(BATCH) for name in names}
    seen: set[str] = set()
    for names, vectors in store.index_entries(BATCH):
        stored = library.vectors([name for name in names if name in wanted])
        for name, vector in zip(names, vectors, strict=True):
            seen.add(name)
            if name in stored and float(vector @ stored[name]) < ALIKE * float(np.linalg.norm(stored[name])):
                found.append(f"vector {name} in the search index is not the stored one")
    if missing := wanted - seen:
        found.append(f"{len(missing)} vectors are missing from the search index")
    return found


def _faults(article: Article) -> Iterator[str]:
    if hashlib.sha256(article.text.encode()).hexdigest() != article.sha256:
        yield "its text does not have its digest"


def _misplaced(article: Article, placed: list[Placed]) -> Iterator[str]:
    """Every character that is not white space must be in exactly one sentence of one passage."""
    end = 0
    for one in placed:
        for span in one.passage.sentences:
            if span.start < end or span.end > len(article.text) or article.text[end : span.start].strip():
                yield f"its passages do not cover it at character {end}"
                return
            end = span.end
        if not one.passage.sentences or one.passage.span.end != end:
            yield f"the passage at character {one.passage.span.start} is not that of its sentences"
            return
    if article.text[end:].strip():
        yield f"its passages end at character {end}"


def _is_unit(vector: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bool:
    return bool(abs(float(np.linalg.norm(vector)) - 1) < 0.02)  # false for what is no number, too


def rebuild(
    store: Store,
    name: str,
    embeddings: Embeddings,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Rebuilt:
    """Makes the vectors and the search index again, while the old ones answer; to be called inside `Store.writing`.

    Vectors of the model in use that are stored and sound are kept, those of another model (`name`, `embeddings`) all
    made. What is done when it is broken off stays done, until the next ingest. `on_progress` hears how many versions
    are done, of how many.
    """
    library = store.library
    total = sum(1 for _ in library.every_version())
    embedded, texts = 0, dict[str, str]()

    def flush() -> int:
        names = list(texts)
        made = embeddings.embed_documents([texts[one] for one in names]) if names else []
        library.store({one: np.asarray(vector, np.float32) for one, vector in zip(names, made, strict=True)})
        texts.clear()
        return len(names)

    for done, article in enumerate(library.every_version(), 1):
        for one in library.placed(article.id, article.version):
            wanted = store.texts(article, place(name, article, one.passage))
            sound = {known for known, vector in library.vectors(list(wanted)).items() if _is_unit(vector)}
            texts |= {known: text for known, text in wanted.items() if known not in sound}
        if len(texts) >= TEXTS_AT_ONCE:
            embedded += flush()
        on_progress(done, total)
    embedded += flush()
    store.remake(name, _live_vectors(store, name), _renamed(store, name))
    store.sweep()
    return Rebuilt(library.indexed(), embedded)


def _live_vectors(
    store: Store, name: str
) -> Iterator[tuple[list[str], np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
    for article in store.library.articles():
        names = [place(name, article, one.passage).vector for one in store.library.placed(article.id, article.version)]
        stored = store.library.vectors(names)
        yield list(stored), np.stack(list(stored.values()))


def _renamed(store: Store, name: str) -> Iterator[tuple[str, str]]:
    for article in store.library.every_version():
        for old in store.library.placed(article.id, article.version):
            new = place(name, article, old.passage)
            yield old.vector, new.vector
            yield from zip(old.sentence_vectors, new.sentence_vectors, strict=True)


def backup(store: Store, file: Path) -> int:
    """Writes one consistent archive of the data folder, while others read and write; gives its size in bytes.

    An old file of that name is replaced when the new one is whole. LibraryError if it can't be written, or lies where
    the folder's own files do.
    """
    own = {FILE, NAMES, "conversations.db", "writer.lock", "writer.txt", *(FILE + ending for ending in LOGS)}
    inside = os.path.relpath(os.path.realpath(file), os.path.realpath(store.folder)).split(os.sep)
    if inside[0] in own or inside[0].startswith(("chroma", "conversations.db", "uploads")):
        raise LibraryError(f"{file} is one of the data folder's own files: write the backup somewhere else.")
    try:
        with TemporaryDirectory(dir=file.absolute().parent, prefix=".backup-") as folder:
            copied = Path(folder) / FILE
            store.library.copy(copied)
            members = {FILE: copied}
            if (store.folder / NAMES).exists():
                members[NAMES] = store.folder / NAMES
            manifest = {
                "viadoma": 1,
                "format": FORMAT,
                "embedding": store.library.stored_embedding(),
                "made": utc_now(),
                "sha256": {name: _digest(path) for name, path in members.items()},
            }
            whole = Path(folder) / "backup.zip"
            with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
                for name, path in members.items():
                    archive.write(path, name)
            size = whole.stat().st_size
            os.replace(whole, file)
            return size
    except OSError as error:
        raise LibraryError(f"The backup {file} can't be written ({error.strerror or error}).") from error


def restore(file: Path, folder: Path) -> str:
    """Brings a backup back into a folder that holds no library; gives the time it was made (ISO 8601, UTC).

    LibraryError if the folder holds one, or the file is no whole backup; the folder is then as it was.
    """
    if exists(folder):
        raise LibraryError(f"{folder} already holds a library. Restore into another folder, or move this one away.")
    if left := [FILE + ending for ending in LOGS if (folder / (FILE + ending)).exists()]:
        # SQLite would take them for the restored library's own
        raise LibraryError(f"{folder} holds {', '.join(left)} of another library: move it away, or restore elsewhere.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(file) as archive, TemporaryDirectory(dir=folder, prefix=".restore-") as within:
            manifest = json.loads(archive.read(MANIFEST))
            for name, digest in manifest["sha256"].items():
                if name not in (FILE, NAMES):
                    raise LibraryError(f"{file} holds {name}, which no backup does.")
                with archive.open(name) as source, (Path(within) / name).open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                if _digest(Path(within) / name) != digest:
                    raise LibraryError(f"{file} is damaged: {name} is not as it was written.")
            # the library last: with it the folder is one
            with locked(folder, LOCK_SECONDS):
                for name in sorted(manifest["sha256"], key=lambda name: name == FILE):
                    os.replace(Path(within) / name, folder / name)
            return str(manifest["made"])
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        if isinstance(error, LibraryError):
            raise
        raise LibraryError(f"{file} is no backup of a library, or a damaged one ({error}).") from error
    except FileNotFoundError as error:
        raise LibraryError(f"There is no file {file}.") from error
    except OSError as error:
        raise unwritable(folder, error) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
