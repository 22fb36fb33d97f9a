"""Where a data folder is, what it is searched with and who writes, from the environment.

Read by the public doors alone (`Bot.open`, `ingest.pipeline`, the programs); everything behind them is handed what it
needs. docs/settings.md is made of the descriptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from language import Message
from vectorstore.embeddings import BUILT_IN


def _variable(name: str, default: Any, description: str, shown: str = "", *, secret: bool = False) -> Any:
    """A field that a variable of the environment sets; `shown` is its default as people are told it."""
    return Field(
        default, validation_alias=name, description=description, json_schema_extra={"shown": shown}, repr=not secret
    )


class Settings(BaseSettings):
    """All that the environment says; a variable that is empty counts as not set."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, case_sensitive=True, extra="ignore")

    data: Path = _variable("VIADOMA_DATA", Path("data"), "the data folder", "`./data`")
    auth: str = _variable(
        "VIADOMA_AUTH",
        "",
        "`name:password` that the page asks for; without it the page answers this machine alone",
        secret=True,
    )
    api_key: str = _variable(
        "OPENAI_API_KEY", "", "the key of the endpoint that writes", "none: answers are quoted", secret=True
    )
    base_url: str = _variable("OPENAI_BASE_URL", "", "the endpoint that writes", "OpenAI's", secret=True)
    model: str = _variable(
        "VIADOMA_MODEL", "", "the chat model; `provider:model` for other LangChain providers", "`gpt-5-mini` with a key"
    )
    unsupported_claims: Literal["drop", "show"] = _variable(
        "VIADOMA_UNSUPPORTED",
        "drop",
        "`show`: sentences of the model that its quotes do not prove are shown, marked",
    )
    embedding_model: str = _variable(
        "VIADOMA_EMBEDDINGS", BUILT_IN, "the embedding model, `provider:model`", "built in, trained for this"
    )
    link_names: bool = _variable("VIADOMA_NAMES", True, "`off`: names are not known by their other spellings", "`on`")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = _variable(
        "VIADOMA_ALLOW",
        (),
        "hosts and networks to fetch from that are not public: `wiki.example.org, 10.1.0.0/16`",
    )
    proxy: str = _variable(
        "VIADOMA_PROXY", "", "a proxy to fetch through; those of the system are not used", secret=True
    )
    keep_raw: bool = _variable(
        "VIADOMA_RAW", True, "`off`: the bytes of documents are not kept beside their text", "`on`"
    )
    cache_dir: Path = _variable(
        "VIADOMA_CACHE",
        Path(platformdirs.user_cache_dir("viadoma")),
        "where the built-in models' converted weights are kept",
        "the user's cache folder",
    )

    @field_validator("data")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return folder.absolute()

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _listed(cls, listed: object) -> object:
        return tuple(filter(None, map(str.strip, listed.split(",")))) if isinstance(listed, str) else listed

    @field_validator("api_key", "base_url", "model", "proxy", mode="before")
    @classmethod
    def _stripped(cls, value: object) -> object:
        return value.strip() if isinstance(value, str) else value

    @field_validator("unsupported_claims", "link_names", "keep_raw", mode="before")
    @classmethod
    def _chosen(cls, value: object, info: ValidationInfo) -> object:
        """A word of few, in any letters; of blanks alone the default."""
        word = value.strip().lower() if isinstance(value, str) else value
        return cls.model_fields[str(info.field_name)].default if word == "" else word


def load_settings(data: Path | None) -> Settings:
    """What the environment says, with the data folder `data` if it is given.

    ValueError names the variable whose value can't be used.
    """
    try:
        given: dict[str, Any] = {"VIADOMA_DATA": data} if data else {}
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        wrong = Message(
            "{variable} is “{value}”: “{error}”.", variable=first["loc"][0], value=first["input"], error=first["msg"]
        )
        raise ValueError(wrong) from error


def described() -> Iterator[tuple[str, str, str]]:
    """(variable, what it sets, its default), in the order of the documentation."""
    for field in Settings.model_fields.values():
        extra = field.json_schema_extra
        shown = str(extra.get("shown", "")) if isinstance(extra, dict) else ""
        default = f"`{field.default}`" if field.default else "none"
        yield str(field.validation_alias), str(field.description), shown or default
