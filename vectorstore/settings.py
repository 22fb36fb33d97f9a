"""Where a data folder is and what it is searched with, from the environment.

Read by the public doors alone (`Bot.open`, `ingest.update`, the programs); everything behind them is handed what it
needs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from vectorstore.embeddings import BUILT_IN


@dataclass(frozen=True, slots=True)
class Settings:
    """The data folder, the embedding model (see `open_embeddings`) and the folder for its converted weights.

    `names` says whether names are known by their other spellings. `allow` are hosts and networks that articles may be
    fetched from though they are not public, `proxy` the address of a proxy to fetch through, empty for none; `raw` says
    whether the bytes of documents are kept.
    """

    data: Path
    embedding: str
    cache: Path
    names: bool
    allow: tuple[str, ...] = ()
    proxy: str = ""
    raw: bool = True


def settings(data: Path | None) -> Settings:
    """`data`, else VIADOMA_DATA, else ./data; VIADOMA_EMBEDDINGS; VIADOMA_CACHE, else the user's cache folder.

    VIADOMA_NAMES=off switches the knowledge of names off, VIADOMA_RAW=off the keeping of raw bytes. VIADOMA_ALLOW lists
    hosts and networks with commas between them, VIADOMA_PROXY is an address.
    """
    return Settings(
        data=(data or Path(os.environ.get("VIADOMA_DATA") or "data")).absolute(),
        embedding=os.environ.get("VIADOMA_EMBEDDINGS") or BUILT_IN,
        cache=Path(os.environ.get("VIADOMA_CACHE") or platformdirs.user_cache_dir("viadoma")),
        names=os.environ.get("VIADOMA_NAMES", "").lower() != "off",
        allow=tuple(host.strip() for host in os.environ.get("VIADOMA_ALLOW", "").split(",") if host.strip()),
        proxy=os.environ.get("VIADOMA_PROXY", "").strip(),
        raw=os.environ.get("VIADOMA_RAW", "").lower() != "off",
    )
