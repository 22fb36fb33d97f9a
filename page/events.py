"""How every view listens to its events, and what can't be done, said in a corner of the page.

Knows Gradio's events and errors. Does not know what is to be done.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr
from gradio.blocks import Block

from bot import LibraryError
from page.conversations import ConversationsError
from page.i18n import Translator

Updates = dict[Block, Any]  # what a handler gives: the components that change, each with its new value or properties
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def user_error(reason: str, words: Translator) -> gr.Error:
    """What to raise so that a reader is told why."""
    return gr.Error(reason, title=words("Error"), print_exception=False)


def listening(words: Translator) -> Callable[..., Any]:
    """What has an event call a handler: `on(box.submit, handler, inputs, outputs)`, and further settings by name.

    A user is told why the library or the conversations can't be used; Gradio would say that there was an error.
    """

    def on(event: Callable[..., Any], handler: Callable[..., Any], inputs: Any, outputs: Any, **more: Any) -> Any:
        @wraps(handler)
        def show_errors(*values: Any) -> Any:
            try:
                return handler(*values)
            except (LibraryError, ConversationsError) as error:
                raise user_error(words.message(error), words) from error

        return event(show_errors, inputs, outputs, **QUIET, **more)

    return on
