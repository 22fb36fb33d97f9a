"""Extracts what documents say, foreign ones in a child process that may be killed: too slow, too large or crashed.

Knows time and memory limits, and how to go on after a crash. Does not know file formats or where documents come from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.document import Document, Extract, Extracted, Failure, Item, Outcome, UnreadableError
from ingest.formats import extract
from ingest.formats.limits import limit_memory
from language import Message, message_of

if TYPE_CHECKING:
    from loky import ProcessPoolExecutor

# Read in this process: what parses these can neither hang nor grow.
IN_PROCESS_KINDS = {"record", "text"}
MAX_SECONDS = 30.0
MAX_MEGABYTES = 600
IDLE_SECONDS = 30  # after these the child ends
TOO_SLOW = Message("reading it took longer than {seconds} s", seconds=round(MAX_SECONDS))
BROKEN = Message("reading it broke the program that reads: it is damaged, or made to do harm")


@dataclass(slots=True)
class _Task:
    item: Item
    future: Future[Extract | Failure] | None = None


class Extractor:
    """Reads documents in the order in which they come, some of them ahead.

    `executor` makes, or gives again, what runs the children; None for those of this machine, `workers` of them.
    """

    def __init__(self, workers: int = 1, executor: Callable[[], Executor] | None = None) -> None:
        self._workers = workers
        self._executor = executor or self._children
        self._running: ProcessPoolExecutor | None = None

    def extract(self, items: Iterable[Item]) -> Iterator[Outcome]:
        """Each document with what it says, or the reason why it can't be read; all else as it comes."""
        ahead: deque[_Task] = deque()
        for item in items:
            ahead.append(self._started(_Task(item)))
            if len(ahead) > 2 * self._workers:
                yield self._finished(ahead)
        while ahead:
            yield self._finished(ahead)

    def _started(self, task: _Task) -> _Task:
        if isinstance(task.item, Document) and task.item.kind not in IN_PROCESS_KINDS:
            try:
                task.future = self._executor().submit(_extract, task.item)
            except BrokenExecutor:  # it broke under a document before this one
                self._kill()
                task.future = self._executor().submit(_extract, task.item)
        return task

    def _finished(self, ahead: deque[_Task]) -> Outcome:
        task = ahead.popleft()
        document = task.item
        if not isinstance(document, Document):
            return document
        try:
            result = _extract(document) if task.future is None else task.future.result(MAX_SECONDS)
        except TimeoutError:
            self._restart(ahead)
            result = Failure(document.source, TOO_SLOW)
        except BrokenExecutor:
            # any document on its way may be the one: each is tried by itself
            self._kill()
            result = self._alone(document)
            self._restart(ahead)
        return result if isinstance(result, Failure) else Extracted(document, result)

    def _alone(self, document: Document) -> Extract | Failure:
        try:
            return self._executor().submit(_extract, document).result(MAX_SECONDS)
        except TimeoutError:
            return Failure(document.source, TOO_SLOW)
        except BrokenExecutor:
            return Failure(document.source, BROKEN)

    def _restart(self, ahead: Iterable[_Task]) -> None:
        self._kill()
        for task in ahead:
            if task.future and not (task.future.done() and not task.future.exception()):
                self._started(task)

    def _children(self) -> Executor:
        from loky import get_reusable_executor

        children: Executor = get_reusable_executor(
            self._workers, timeout=IDLE_SECONDS, initializer=limit_memory, initargs=(MAX_MEGABYTES,)
        )
        self._running = children
        return children

    def _kill(self) -> None:
        if self._running:
            self._running.shutdown(wait=True, kill_workers=True)
            self._running = None


def _extract(document: Document) -> Extract | Failure:
    """What a child does: it sends back what the document says, not the document."""
    try:
        return extract(document)
    except UnreadableError as error:
        return Failure(document.source, message_of(error))
