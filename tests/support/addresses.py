"""Addresses that must never be asked, names that lead there, and what a process connects to."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Addresses that lead, or could lead, to where they should not.
HOSTILE = [
    # loopback, private, link-local, carrier NAT and other ranges that are not public
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "http://127.255.255.254/",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/admin",
    "http://169.254.1.1/",
    "http://100.64.0.1/",
    "http://100.127.255.255/",
    "http://192.0.0.8/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://198.19.255.255/",
    "http://198.51.100.7/",
    "http://203.0.113.9/",
    "http://192.88.99.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    # the metadata services of clouds
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://metadata/computeMetadata/v1/",
    "http://metadata.goog/",
    "http://instance-data/latest/",
    # other spellings of IPv4 addresses
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0x7f.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0/",
    "http://127.0.0.1./",
    "http://127.0.0.01/",
    "http://10.0.0.256/",
    "http://%31%32%37.0.0.1/",
    "http://127%2e0%2e0%2e1/",
    "http://１２７.０.０.１/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    # IPv6, and what it hides IPv4 addresses in
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    "http://[2001:db8::1]/",
    "http://[2001:2::1]/",
    "http://[3fff::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25lo]/",
    "http://[fe80::1%lo]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[fd12:3456:789a::1]/",
    "http://[ff02::1]/",
    "http://[100::1]/",
    "http://[2606:4700::5efe:7f00:1]/",
    "http://[2606:4700::200:5efe:a00:1]/",
    # names within a network
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://a.localhost/",
    "http://localhost.localdomain/",
    "http://ⓛocalhost/",
    "http://printer.local/",
    "http://db.internal/",
    "http://router.home.arpa/",
    "http://intranet/",
    "http://a..example/",
    # names that lead there: see PLANTED
    "http://loopback.example/",
    "http://127.0.0.1.nip.example/",
    "http://private.example/",
    "http://mixed.example/",
    "http://mapped.example/",
    "http://six-to-four.example/",
    "http://teredo.example/",
    "http://site-local.example/",
    "http://nat64.example/",
    "http://isatap.example/",
    "http://carrier.example/",
    "http://metadata.example/",
    "http://scoped.example/",
    # ports, schemes, and addresses that programs read in different ways
    "http://93.184.215.14:22/",
    "http://93.184.215.14:6379/",
    "http://93.184.215.14:0/",
    "https://93.184.215.14:8443/",
    "ftp://93.184.215.14/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "unix:///var/run/docker.sock",
    "//127.0.0.1/",
    "127.0.0.1/",
    "http:///",
    "http://user:password@93.184.215.14/",
    "http://93.184.215.14@127.0.0.1/",
    "http://127.0.0.1\\@93.184.215.14/",
    "http://93.184.215.14\\.127.0.0.1/",
    "http://127.0.0.1#@93.184.215.14/",
    "http://127.0.0.1?@93.184.215.14/",
    "http://[::1]@93.184.215.14/",
    "http://[::1].example/",
    "http://127.0.0.1:80:80/",
    "http://127.0.0.1:99999/",
    "http://127.0.\n0.1/",
    "ht\ttp://127.0.0.1/",
    "http://127.0.0.1 .example/",
    "http://127.0.0.1\x00.example/",
]


# Names and what is found under them.
PLANTED = {
    "loopback.example": ["127.0.0.1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "private.example": ["10.1.2.3"],
    "mixed.example": ["93.184.215.14", "192.168.0.1"],
    "mapped.example": ["::ffff:10.0.0.1"],
    "six-to-four.example": ["2002:0a00:1::1"],
    "teredo.example": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "site-local.example": ["fec0::1"],
    "nat64.example": ["64:ff9b::10.0.0.1"],
    "isatap.example": ["2606:4700::5efe:10.0.0.1"],
    "carrier.example": ["100.64.1.1"],
    "metadata.example": ["169.254.169.254"],
    "scoped.example": ["fe80::1%1"],
}


_watched: list[list[str]] = []


_hooked: list[bool] = []


@contextmanager
def connections() -> Iterator[list[str]]:
    """The IP addresses that this process begins to connect to, whoever in it does."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "socket.connect" and _watched and isinstance(arguments[1], tuple):
            for seen in _watched:
                seen.append(str(arguments[1][0]))

    if not _hooked:  # a hook can't be taken away
        sys.addaudithook(hook)
        _hooked.append(True)
    seen: list[str] = []
    _watched.append(seen)
    try:
        yield seen
    finally:
        _watched.pop()


def planted(host: str, port: int) -> list[str]:  # noqa: ARG001 - the interface
    """Looks a name up in PLANTED."""
    try:
        return PLANTED[host]
    except KeyError:
        raise socket.gaierror(f"no such host: {host}") from None
