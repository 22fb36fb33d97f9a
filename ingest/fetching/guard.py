"""Which addresses may be fetched: plain URLs, and hosts on the public internet or explicitly allowed.

Knows the spellings of an address and the registries of special networks. Does not connect to anything.

Errors: FetchError (UnreadableError): nothing was fetched; below it BlockedError: refused here, no connection was made.
The message is the reason, one line, for the user.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from ingest.document import UnreadableError
from language import Message, message_of, one_line

MAX_URL = 4_000  # characters
PORTS = {"http": 80, "https": 443}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# The registries of special addresses (RFC 6890 and after). In IPv6 only 2000::/3 is handed out, which leaves out mapped
# and compatible IPv4, NAT64, unique and site-local, link-local and multicast; these are the exceptions within it.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),  # Teredo is in the first
    )
)
_HANDED_OUT = ipaddress.IPv6Network("2000::/3")
_ISATAP = {0x00005EFE, 0x02005EFE}  # the upper half of the interface id; the lower is an IPv4 address
# Where clouds tell their machines their secrets (AWS, ECS, Google, Azure, Oracle, Alibaba): not even when allowed.
_METADATA: set[Address] = {
    ipaddress.ip_address(text)
    for text in (
        *("169.254.169.254", "169.254.170.2", "168.63.129.16", "192.0.0.192", "100.100.100.200"),
        *("fd00:ec2::254", "fd20:ce::254"),
    )
}
_LOCAL_NAMES = re.compile(
    r"[^.]*|(.*\.)?(localhost|local|internal|localdomain|home\.arpa)|metadata\.(goog|tencentyun\.com|packet\.net)"
)


class FetchError(UnreadableError):
    """An address that could not be fetched; the message says why."""


class BlockedError(FetchError):
    """An address that is not fetched: nothing was connected to."""


@dataclass(frozen=True, slots=True)
class NormalizedUrl:
    """The URL of one request, in the one spelling that is asked for."""

    scheme: str
    host: str
    port: int
    target: str  # path and query

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port, as in a header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return self.origin + self.target


def normalize_url(url: str) -> NormalizedUrl:
    """Takes a URL apart; raises BlockedError for all that is not a plain URL."""
    url = url.strip()
    if len(url) > MAX_URL:
        raise BlockedError(
            Message("the URL is {count} characters long, more than {most}", count=len(url), most=MAX_URL)
        )
    if re.search(r"[\x00-\x1f\x7f]", url):
        raise BlockedError(Message("the URL has control characters in it"))
    try:
        parts = urlsplit(url)
        port = parts.port
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~[]")
        if parts.query:
            target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~[]?")
    except ValueError as error:
        raise BlockedError(Message("this is not a URL: {why}", why=message_of(error))) from error
    if parts.scheme not in PORTS:
        if parts.scheme:
            raise BlockedError(Message("only http and https URLs are fetched, not {scheme}", scheme=parts.scheme))
        raise BlockedError(Message("only http and https URLs are fetched"))
    if "@" in parts.netloc:
        raise BlockedError(Message("the URL has a user name or password in it; remove them"))
    port = PORTS[parts.scheme] if port is None else port
    return NormalizedUrl(parts.scheme, host_of(parts.hostname or ""), port, target)


def host_of(host: str) -> str:
    """A host in its one spelling: a name in ASCII, or an IP address; raises BlockedError for every other way."""
    if ":" in host:
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError as error:
            raise BlockedError(Message("“{host}” is not an IP address", host=one_line(host))) from error
        if address.scope_id:
            raise BlockedError(Message("{host} is an address within the network only", host=host))
        return str(address)
    try:
        # brings full-width and circled letters, digits and dots back to plain ones too
        name = host.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise BlockedError(Message("“{host}” is not the name of a host", host=one_line(host))) from error
    labels = name.split(".")
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError as error:
            hidden = Message("{host} hides an IP address; write it as four decimal numbers", host=host)
            raise BlockedError(hidden) from error
    if len(name) > 253 or not all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", label) for label in labels):
        raise BlockedError(Message("“{host}” is not the name of a host", host=one_line(host)))
    return name


def literal(host: str) -> Address | None:
    """The IP address that a host is; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _public(address: Address) -> bool:
    if any(address in network for network in _NOT_PUBLIC):
        return False
    if address.version == 6 and (address not in _HANDED_OUT or int(address) >> 32 & 0xFFFFFFFF in _ISATAP):
        return False
    return address.is_global and not address.is_multicast


@dataclass(frozen=True, slots=True)
class _Opening:
    """An entry of what is allowed: a name or a network, on one port or (None) on 80 and 443."""

    name: str
    network: Network | None
    port: int | None

    @classmethod
    def parse(cls, entry: str) -> _Opening:
        try:
            if "/" in entry:
                return cls("", ipaddress.ip_network(entry.strip()), None)
            if address := literal(entry.strip()):
                return cls("", ipaddress.ip_network(address), None)
            parts = re.fullmatch(r"(?:\[([^\]]+)\]|([^:@\[\]]+))(?::([0-9]{1,5}))?", entry.strip())
            if parts is None or (parts[3] and not 0 < int(parts[3]) < 65536):
                raise ValueError(Message("no such form"))
            host = host_of(parts[1] or parts[2])
            address, port = literal(host), int(parts[3]) if parts[3] else None
            return cls("", ipaddress.ip_network(address), port) if address else cls(host, None, port)
        except ValueError as error:
            refused = Message(
                "“{entry}” can't be allowed ({why}): write a host, host:port, an IP address or a network such as "
                "10.0.0.0/8",
                entry=one_line(entry),
                why=message_of(error),
            )
            raise ValueError(refused) from error

    def opens(self, port: int) -> bool:
        return port in PORTS.values() if self.port is None else port == self.port

    def holds(self, host: str, address: Address) -> bool:
        return self.name == host if self.network is None else address in self.network


class AddressPolicy:
    """Says which hosts may be connected to."""

    def __init__(self, allow: Sequence[str]) -> None:
        self._openings = [_Opening.parse(entry) for entry in allow]

    def look(self, host: str, port: int) -> None:
        """Refuses what can be refused without asking for the host's addresses."""
        if address := literal(host):
            self.check(host, port, [str(address)])
            return
        openings = [opening for opening in self._openings if opening.opens(port)]
        if any(opening.name == host for opening in openings):
            return
        if _LOCAL_NAMES.fullmatch(host):
            raise BlockedError(Message("{host} is a name within a network, not on the public internet", host=host))
        if port not in PORTS.values() and not any(opening.network for opening in openings):
            raise _shut(port)

    def check(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """Refuses the host if any of its addresses may not be connected to."""
        for text in addresses:
            address = literal(text)
            if address is None or address in _METADATA or getattr(address, "ipv4_mapped", None):
                raise BlockedError(
                    Message("{host} is at {address}, which is never fetched from", host=host, address=text)
                )
            openings = [opening for opening in self._openings if opening.holds(host, address)]
            if any(opening.opens(port) for opening in openings):
                continue
            if not openings and not _public(address):
                raise BlockedError(
                    Message("{host} is at {address}, which is not on the public internet", host=host, address=text)
                )
            if port not in PORTS.values() or not _public(address):
                raise _shut(port)


def _shut(port: int) -> BlockedError:
    return BlockedError(
        Message(
            "port {port} is not fetched from; only 80 and 443 are, and what is allowed as host:port", port=str(port)
        )
    )
