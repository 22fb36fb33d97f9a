"""What many tests share: a filled data folder, a counted embedding model, the running page."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from langchain_core.embeddings import Embeddings

from ingest import Report, update
from ingest.extraction import Extractor
from ingest.fetching import Fetcher
from ingest.pipeline import ingest_sources
from ingest.report import ReportBuilder
from ingest.resources import IngestResources
from tests.support.program import ROOT
from tests.support.site import Site, site
from vectorstore import BUILT_IN, Hit, NameTable, Store, load_settings
from vectorstore.embeddings import open_embeddings
from vectorstore.language_bias import PHRASES
from vectorstore.search import Query, search

HERE = Path(__file__).parent
SAMPLES = ROOT / "samples"
PHRASES_EMBEDDED = sum(map(len, json.loads(PHRASES.read_text("utf-8")).values()))  # by a store, once
SHARED = Path(os.environ.get("VIADOMA_SHARED", ROOT.parent / "shared"))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their argument: packed ones hold the time, and every process must find the same names."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test talks to a model unless it brings one."""
    for name in list(os.environ):
        if name.startswith("OPENAI_") or name in ("VIADOMA_MODEL", "VIADOMA_DATA", "VIADOMA_EMBEDDINGS"):
            monkeypatch.delenv(name)


class Counted(Embeddings):
    """The built-in model, counting the texts it embeds."""

    def __init__(self, model: Embeddings) -> None:
        self._model = model
        self.documents = 0
        self.queries = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.documents += len(texts)
        return self._model.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        self.queries += 1
        return self._model.embed_query(text)


@pytest.fixture(scope="session")
def built_in() -> tuple[str, Embeddings]:
    return open_embeddings(BUILT_IN, load_settings(None).cache_dir)


@pytest.fixture
def counted(built_in: tuple[str, Embeddings]) -> Counted:
    return Counted(built_in[1])


OpenStore = Callable[[Path], Store]


@pytest.fixture
def open_store(built_in: tuple[str, Embeddings], counted: Counted) -> Iterator[OpenStore]:
    """Opens stores with the counted model, and closes them."""
    stores: list[Store] = []

    def opened(folder: Path) -> Store:
        stores.append(Store(folder, name=built_in[0], embeddings=counted, create=True))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture(scope="session")
def sample_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the starter collection; not to be written to."""
    folder = tmp_path_factory.mktemp("samples")
    report = update([SAMPLES], data=folder)
    assert not report.failed
    return folder


def hits(store: Store, question: str, limit: int) -> list[Hit]:
    """What the project's own search finds."""
    return search(store, Query(question), limit, names=NameTable.open(None))


def updated(
    store: Store, *sources: str | Path, prune: bool = False, dry_run: bool = False, fetcher: Fetcher | None = None
) -> Report:
    """Takes sources into an open store."""
    with Fetcher() as closed:
        return ingest_sources(
            store,
            [str(source) for source in sources],
            IngestResources(fetcher or closed, Extractor()),
            prune=prune,
            dry_run=dry_run,
            on_progress=lambda _: None,
            builder=ReportBuilder(),
        )


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Writes a file below a folder `articles`, and gives its path."""

    def written(name: str, content: str | bytes) -> Path:
        path = tmp_path / "articles" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


@pytest.fixture(scope="session")
def shared() -> Path:
    """The test material beside the project; tests that need it are left out where it is not."""
    if not SHARED.is_dir():
        pytest.skip(f"no test material at {SHARED}")
    return SHARED


@pytest.fixture(name="site")
def _site() -> Iterator[Site]:
    """A web server that a test puts pages on."""
    with site() as served:
        yield served


@pytest.fixture
def fetcher(site: Site) -> Iterator[Fetcher]:
    """One that may ask that server, and asks for its robots.txt first."""
    with Fetcher(allow=[site.host], delay_seconds=0) as made:
        yield made
