"""Looking after a data folder: is it sound, rebuild its vectors, copy it, bring a copy back.

Knows what must agree with what, and the form of a backup. Does not know where articles come from.

A backup is a ZIP file with `library.db`, `names.txt` if there is one, and `manifest.json` with their digests. The
search index is not in it: it is rebuilt from the library.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from langchain_core.embeddings import Embeddings

from language import Message, message_of
from vectorstore.article import Article, Vector
from vectorstore.database import FILE, FORMAT, LibraryError, exists, locked, unwritable
from vectorstore.fulltext import passage_terms
from vectorstore.library import Library
from vectorstore.passage_table import EmbeddedPassage, embedded_passage, embedded_texts
from vectorstore.store import Store
from vectorstore.timestamps import utc_now
from vectorstore.vectors import BATCH

NAMES = "names.txt"
LOGS = ("-wal", "-shm", "-journal")  # what SQLite writes beside its file
MANIFEST = "manifest.json"
ALIKE = 0.999  # least cosine of a vector in the index to the stored one, which has 16 bits a number
TEXTS_AT_ONCE = 256
# what must not be: what to call it, and the query that counts it
INTEGRITY_CHECKS = {
    "articles under a tombstone are live": "SELECT count(*) FROM removed JOIN version USING (article) WHERE live",
    "live passages have a vector that is not marked for the index": (
        "SELECT count(*) FROM passage JOIN version ON version.id = passage.version"
        " JOIN vector ON vector.id = passage.vector WHERE live AND NOT indexed"
    ),
    "lines of full text belong to no live passage": (
        "SELECT count(*) FROM words WHERE rowid NOT IN (SELECT passage.id FROM passage"
        " JOIN version ON version.id = passage.version WHERE live)"
    ),
    "versions have no passage": "SELECT count(*) FROM version WHERE id NOT IN (SELECT version FROM passage)",
    "sources belong to no article": "SELECT count(*) FROM origin WHERE article NOT IN (SELECT article FROM version)",
    "live articles hold the same text from the same source": (
        "SELECT count(*) FROM (SELECT 1 FROM version WHERE live GROUP BY source, sha256 HAVING count(*) > 1)"
    ),
}


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """What a rebuild did: how many vectors are in use, and how many of them were embedded anew."""

    vectors: int
    embedded: int


def check(store: Store, on_progress: Callable[[int, int], None] = lambda _done, _total: None) -> list[str]:
    """What is wrong in a data folder, a line each; empty if library, full text and vectors agree.

    `on_progress` hears how many versions are done, of how many.
    """
    library = store.library
    with library.snapshot():
        faults = [*_wrong_rows(library), *_wrong_words(library), *_damaged_bytes(library)]
        if library.purge_pending():
            faults.append("a deletion was interrupted: the next ingest or rebuild takes the last vectors of it out")
        total = sum(1 for _ in library.every_version())
        sound: dict[str, bool] = {}
        for done, article in enumerate(library.every_version(), 1):
            passages = library.passages.embedded(article.id, article.version)
            wrong = [*_wrong_text(article, passages), *_wrong_vectors(library, passages, sound)]
            faults += (f"{article.source}, version {article.version}: {fault}" for fault in wrong)
            on_progress(done, total)
        wanted = {name for names, _ in library.vectors.indexed(BATCH) for name in names}
    return [*faults, *_wrong_entries(store, wanted)]


def _wrong_rows(library: Library) -> Iterator[str]:
    """Damage to the file, dangling rows, and what FAULTS counts."""
    connection = library.connection()
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"SQLite finds damage: {line}"
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} belongs to nothing in {parent}"
    for what, query in INTEGRITY_CHECKS.items():
        if number := connection.execute(query).fetchone()[0]:
            yield f"{number} {what}"


def _wrong_words(library: Library) -> Iterator[str]:
    """Full text and its counts that are not those of the live passages."""
    connection = library.connection()
    counted: Counter[str] = Counter()
    passages = words = 0
    # sliced here: SQLite would go through an article's text from its start for each of its passages
    for version, title, text in connection.execute("SELECT id, title, text FROM version WHERE live"):
        for passage, start, end, line in connection.execute(
            'SELECT id, start, "end", terms FROM passage LEFT JOIN words ON words.rowid = id WHERE version = ?',
            (version,),
        ):
            expected = passage_terms(title, text[start:end])
            counted.update(set(expected))
            passages, words = passages + 1, words + len(expected)
            if line != " ".join(expected):
                yield f"the full text of passage {passage} is not that of its article"
    if library.fulltext.totals() != (passages, words):
        yield f"{library.fulltext.totals()} passages and terms are counted, there are {(passages, words)}"
    stored = dict(connection.execute("SELECT term, passages FROM term WHERE passages <> 0").fetchall())
    if stored != counted:
        yield f"the counts of {len({*stored.items()} ^ {*counted.items()})} terms are wrong"


def _damaged_bytes(library: Library) -> Iterator[str]:
    for sha256, value in library.connection().execute("SELECT sha256, value FROM raw"):
        try:
            sound = hashlib.sha256(zlib.decompress(value)).hexdigest() == sha256
        except zlib.error:
            sound = False
        if not sound:
            yield f"the kept bytes {sha256} are damaged"


def _wrong_text(article: Article, passages: Sequence[EmbeddedPassage]) -> Iterator[str]:
    """Every character that is not white space must be in exactly one sentence of one passage."""
    if hashlib.sha256(article.text.encode()).hexdigest() != article.sha256:
        yield "its text does not have its digest"
    end = 0
    for passage in (embedded.passage for embedded in passages):
        for span in passage.sentences:
            if span.start < end or span.end > len(article.text) or article.text[end : span.start].strip():
                yield f"its passages do not cover it at character {end}"
                return
            end = span.end
        if not passage.sentences or passage.span.end != end:
            yield f"the passage at character {passage.span.start} is not that of its sentences"
            return
    if article.text[end:].strip():
        yield f"its passages end at character {end}"


def _wrong_vectors(library: Library, passages: Sequence[EmbeddedPassage], sound: dict[str, bool]) -> Iterator[str]:
    """Looks at the passages' vectors; `sound` keeps what is known of each by its name."""
    names = {name for embedded in passages for name in (embedded.vector, *embedded.sentence_vectors)}
    fresh = [name for name in names if name not in sound]
    stored = library.vectors.by_name(fresh)
    sound |= {name: name in stored and _is_unit(stored[name]) for name in fresh}
    if bad := sum(not sound[name] for name in names):
        yield f"{bad} vectors are missing or damaged"


def _wrong_entries(store: Store, wanted: Set[str]) -> Iterator[str]:
    """What the search index holds otherwise than the library, or lacks of the wanted vectors."""
    seen: set[str] = set()
    for names, vectors in store.index.entries(BATCH):
        stored = store.library.vectors.by_name([name for name in names if name in wanted])
        for name, vector in zip(names, vectors, strict=True):
            seen.add(name)
            if name in stored and float(vector @ stored[name]) < ALIKE * float(np.linalg.norm(stored[name])):
                yield f"vector {name} in the search index is not the stored one"
    if missing := wanted - seen:
        yield f"{len(missing)} vectors are missing from the search index"


def _is_unit(vector: Vector) -> bool:
    return bool(abs(float(np.linalg.norm(vector)) - 1) < 0.02)  # false for what is no number, too


def rebuild(
    store: Store,
    name: str,
    embeddings: Embeddings,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> RebuildResult:
    """Makes the vectors and the search index again, while the old ones answer; to be called inside `Store.writing`.

    Vectors of the model in use that are stored and sound are kept, those of another model (`name`, `embeddings`) all
    made. What is done when it is interrupted stays done, until the next ingest. `on_progress` hears how many versions
    are done, of how many.
    """
    library = store.library
    total = sum(1 for _ in library.every_version())
    count, texts = 0, dict[str, str]()

    def flush() -> int:
        names = list(texts)
        vectors = embeddings.embed_documents([texts[name] for name in names]) if names else []
        library.vectors.store(
            {name: np.asarray(vector, np.float32) for name, vector in zip(names, vectors, strict=True)}
        )
        texts.clear()
        return len(names)

    for done, article in enumerate(library.every_version(), 1):
        for _, passage in _renamed_passages(library, article, name):
            wanted = embedded_texts(article, passage)
            stored = library.vectors.by_name(list(wanted))
            texts |= {key: text for key, text in wanted.items() if key not in stored or not _is_unit(stored[key])}
        if len(texts) >= TEXTS_AT_ONCE:
            count += flush()
        on_progress(done, total)
    count += flush()
    store.index.rebuild(name, _live_vectors(library, name), _renamed(library, name))
    store.collect_garbage()
    return RebuildResult(library.vectors.indexed_count(), count)


def _renamed_passages(library: Library, article: Article, name: str) -> list[tuple[EmbeddedPassage, EmbeddedPassage]]:
    """Each passage of a version with the names of its vectors: as they are, and those of the model `name`."""
    return [
        (old, embedded_passage(name, article, old.passage))
        for old in library.passages.embedded(article.id, article.version)
    ]


def _live_vectors(library: Library, name: str) -> Iterator[tuple[list[str], Vector]]:
    for article in library.articles():
        stored = library.vectors.by_name([new.vector for _, new in _renamed_passages(library, article, name)])
        yield list(stored), np.stack(list(stored.values()))


def _renamed(library: Library, name: str) -> Iterator[tuple[str, str]]:
    for article in library.every_version():
        for old, new in _renamed_passages(library, article, name):
            yield old.vector, new.vector
            yield from zip(old.sentence_vectors, new.sentence_vectors, strict=True)


def backup(store: Store, file: Path) -> int:
    """Writes one consistent archive of the data folder, while others read and write; gives its size in bytes.

    An old file of that name is replaced when the new one is whole. LibraryError if it can't be written, or lies where
    the folder's own files do.
    """
    listed = {FILE, NAMES, "conversations.db", "writer.lock", "writer.txt", *(FILE + ending for ending in LOGS)}
    inside = os.path.relpath(os.path.realpath(file), os.path.realpath(store.folder)).split(os.sep)
    if inside[0] in listed or inside[0].startswith(("chroma", "conversations.db", "uploads")):
        raise LibraryError(
            Message("{file} is one of the data folder's own files: write the backup somewhere else.", file=file)
        )
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
        raise LibraryError(
            Message("The backup {file} can't be written ({why}).", file=file, why=message_of(error))
        ) from error


def restore(file: Path, folder: Path) -> str:
    """Brings a backup back into a folder that holds no library; gives the time it was made (ISO 8601, UTC).

    LibraryError if the folder holds one, or the file is no whole backup; the folder is then as it was.
    """
    if exists(folder):
        raise LibraryError(
            Message(
                "{folder} already holds a library. Restore into another folder, or move this one away.", folder=folder
            )
        )
    if left := [FILE + ending for ending in LOGS if (folder / (FILE + ending)).exists()]:
        # SQLite would take them for the restored library's own
        raise LibraryError(
            Message(
                "{folder} holds {names} of another library: move it away, or restore elsewhere.",
                folder=folder,
                names=", ".join(left),
            )
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(file) as archive, TemporaryDirectory(dir=folder, prefix=".restore-") as within:
            manifest = json.loads(archive.read(MANIFEST))
            for name, digest in manifest["sha256"].items():
                if name not in (FILE, NAMES):
                    raise LibraryError(Message("{file} holds {name}, which no backup does.", file=file, name=name))
                with archive.open(name) as source, (Path(within) / name).open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                if _digest(Path(within) / name) != digest:
                    raise LibraryError(
                        Message("{file} is damaged: {name} is not as it was written.", file=file, name=name)
                    )
            # the library last: with it the folder is one
            with locked(folder):
                for name in sorted(manifest["sha256"], key=lambda name: name == FILE):
                    os.replace(Path(within) / name, folder / name)
            return str(manifest["made"])
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        if isinstance(error, LibraryError):
            raise
        raise LibraryError(
            Message("{file} is no backup of a library, or a damaged one ({why}).", file=file, why=message_of(error))
        ) from error
    except FileNotFoundError as error:
        raise LibraryError(Message("There is no file {file}.", file=file)) from error
    except OSError as error:
        raise unwritable(folder, error) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
