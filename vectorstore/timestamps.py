"""Moments as they are written down: in ISO 8601, those of the library to the second and in UTC."""

from datetime import UTC, datetime


def utc_now() -> str:
    """The time now, such as 2025-12-13T09:30:00+00:00."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def moment(text: str) -> datetime | None:
    """The moment that a text in ISO 8601 names, in UTC where it gives no zone; None if it names none."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
