"""Web servers that only the bastion reaches: by a proxy for any library, or without a port by a socket."""

from __future__ import annotations

import http.client
from typing import Any

import requests

import underpass


def page(bastion: str, url: str, **login: Any) -> bytes:
    """A page, with requests; the server looks the name up."""
    with underpass.open_tunnel(bastion, dynamic=0, **login) as tunnel:
        proxy = f"socks5h://127.0.0.1:{tunnel.local_port}"
        answer = requests.get(url, proxies={"http": proxy, "https": proxy}, timeout=30)
        answer.raise_for_status()
        return answer.content


def status(bastion: str, host: str, port: int, **login: Any) -> int:
    """The status of a page, with the standard library."""
    with underpass.open_tunnel(bastion, **login) as tunnel:
        connection = http.client.HTTPConnection(host, port)
        connection.sock = tunnel.connect(host, port)
        connection.request("HEAD", "/")
        try:
            return connection.getresponse().status
        finally:
            connection.close()
