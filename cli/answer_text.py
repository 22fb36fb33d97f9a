"""An answer, as a terminal shows it."""

from __future__ import annotations

from bot import Answer, Citation
from bot.export import CORRECTS, lead, passages_read


def show(answer: Answer) -> None:
    """Prints an answer: the short one first, then its quotes, their sources, and what was searched and read."""
    read = passages_read(answer)
    if first := lead(answer):
        print(f"{first}\n")
    if answer.corrects:
        print(CORRECTS)
    # the text of a refusal ends with what was searched
    print(f"{answer.text} {read}".rstrip() if answer.status == "not_found" else answer.text)
    for note in answer.notes:
        print(f"({note})")
    shown = answer.citations or answer.closest
    if shown:
        print("\nSources:" if answer.citations else "\nClosest passages:")
    for citation in shown:
        print(f"[{citation.number}] {_source(citation)}")
        for told in citation.told_before:
            print(f"    {told}")
        print(f"    “{' '.join(citation.quote.split())}”")
        for voice in citation.voices:
            print(f"    {voice}")
        print(f"    {citation.link}")
    if answer.status != "not_found":
        print(f"\n{answer.searched} {read}".rstrip())
    for spelling in answer.spellings:
        if spelling.elsewhere:
            print(spelling.elsewhere)


def _source(citation: Citation) -> str:
    article = citation.article
    copies = f"printed again by {len(citation.copies):,} more" if citation.copies else ""
    return ", ".join(part for part in (article.name, article.publisher, article.published, article.url, copies) if part)
