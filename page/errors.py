"""What can't be done, said in a corner of the page.

Knows Gradio's errors. Does not know what was to be done.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from bot import LibraryError
from page.conversations import ConversationsError
from page.words import Words, remark


def refused(said: str, words: Words) -> gr.Error:
    """What to raise so that a reader is told why."""
    return gr.Error(said, title=words("Error"), print_exception=False)


def telling(words: Words) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes of a page's work one that says why the library or the conversations can't be had.

    Gradio by itself would say that there was an error.
    """

    def of(work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def tried(*given: Any) -> Any:
            try:
                return work(*given)
            except (LibraryError, ConversationsError) as error:
                raise refused(remark(str(error), words), words) from error

        return tried

    return of
