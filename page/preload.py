"""The files of a view in the head of its page: its styles themselves, its scripts by name, so that they come at once.

Gradio's first script asks for a second, that for a third, and only that one for the files of the components, some
seventy in all. Which files these are stands in Gradio's own build, as Vite writes it: each script
lists the files it may ask for (`m.f=[...]`), and each of its imports gives the places of those that it needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import gradio as gr
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FRONTEND = Path(gr.__file__).parent / "templates" / "frontend"
NAMED = re.compile(r'"\./assets/([\w.-]+)"')
LISTED = re.compile(r"\bm\.f=\[([^]]*)\]")
FILE = re.compile(r'"\./([\w.-]+)"')
PLACES = r"__vite__mapDeps\(\[([\d,]*)\]\)"
BLOCKS = re.compile(rf"import\(`\./(Blocks)-[\w.-]+`\)[^`]*?{PLACES}")
COMPONENT = re.compile(rf"[{{,](\w+):{{(?:[^{{}}]*,)?component:[^{{}}]*?{PLACES}")
ELSEWHERE = re.compile(r"""url\((?!["']?data:)|@import|</style""", re.I)  # a style that must stay where it is
END_OF_HEAD = b"</head>"


def files(components: Iterable[str], frontend: Path = FRONTEND) -> list[str]:
    """What a page of these components ("textbox", "html") asks for once it is there, each once, in the order it does.

    Fewer, down to none, where the build is not written as it is known here: the rest comes when it is asked for.
    """
    assets = frontend / "assets"
    at_once = NAMED.findall((frontend / "index.html").read_text("utf-8"))
    found = [file for script in at_once for file in _listed(_text(assets / script))]
    needed: dict[str, list[str]] = {}
    for script in found:
        text = _text(assets / script)
        listed = _listed(text)
        for what, places in [*BLOCKS.findall(text), *COMPONENT.findall(text)]:
            needed[what] = [listed[int(place)] for place in places.split(",") if place]
    every = dict.fromkeys([*found, *(file for what in ("Blocks", *components) for file in needed.get(what, ()))])
    return [file for file in every if file not in at_once]


def _text(script: Path) -> str:
    return script.read_text("utf-8") if script.suffix == ".js" else ""


def _listed(script: str) -> list[str]:
    listed = LISTED.search(script)
    return FILE.findall(listed[1]) if listed else []


def heads(page: gr.Blocks) -> dict[str, bytes]:
    """What belongs into the head of each view, by the view's path ("/", "/library")."""
    config = page.get_config_file()
    # what is hidden at first is asked for when it is shown
    shown = {one["id"]: one["type"] for one in config["components"] if one["props"].get("visible", True) is True}
    return {
        f"/{view}": "".join(map(_head, files(shown[one] for one in part["components"] if one in shown))).encode()
        for view, part in config["page"].items()
    }


def _head(file: str) -> str:
    if file.endswith(".js"):
        return f'<link rel="modulepreload" crossorigin href="./assets/{file}">'
    text = (FRONTEND / "assets" / file).read_text("utf-8")
    if ELSEWHERE.search(text):
        return f'<link rel="stylesheet" crossorigin href="./assets/{file}">'
    # Gradio finds the link, and does not add another; one that is disabled is not fetched
    return f'<style>{text}</style><link rel="stylesheet" disabled crossorigin href="./assets/{file}">'


class Preload:
    """Puts into the head of each page what belongs there."""

    def __init__(self, app: ASGIApp, heads: Mapping[str, bytes]) -> None:
        """The heads by the path of their page."""
        self._app = app
        self._heads = heads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        head = self._heads.get(scope["path"]) if scope["type"] == "http" else None
        if head is None:
            await self._app(scope, receive, send)
            return
        begun: list[Message] = []
        body = bytearray()

        async def kept(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                whole = bytes(body).replace(END_OF_HEAD, head + END_OF_HEAD, 1)
                headers = MutableHeaders(scope=begun[0])
                headers["Content-Length"] = str(len(whole))
                await send(begun[0])
                await send({"type": "http.response.body", "body": whole})

        await self._app(scope, receive, kept)
