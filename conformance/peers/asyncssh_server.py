"""An SSH server for tests: tunnels only, every way to authenticate.

Takes one argument, a JSON object:
  host_keys        paths of private keys, or lists of such a path and that of a file of X.509 certificates
  ca_certificates  path of a file of X.509 certificates that vouch for those of users; default: nobody does
  authorized_keys  path of a file of public keys, or null for no publickey authentication
  client_hosts     path of a known_hosts file of the hosts that may vouch for `client_user`; default: none may
  client_user      who that is there
  user             the only account
  password         its password, or null for no password authentication
  new_password     if set, `password` is expired: it is to be changed for this one
  prompts          for keyboard-interactive: rounds, each a list of [prompt, echo, expected answer]
  debug_level      1 to 3; from 2 on the algorithms of each connection are logged, and each packet of data. Default 1
  signature_algs, kex_algs, encryption_algs, mac_algs, compression_algs   lists of names; all of asyncssh's defaults if
                   absent
  rekey_bytes      after how many bytes the server asks for new keys. Default: asyncssh's
  strict_kex       false for a server from before the strict key exchange. Default true

Prints the address that it listens on, then logs to standard error until its standard input ends.
"""

import asyncio
import json
import logging
import sys

import asyncssh

import asyncssh_algorithms
import asyncssh_x509

SETTINGS = json.loads(sys.argv[1])
ALGORITHMS = ("signature_algs", "kex_algs", "encryption_algs", "mac_algs", "compression_algs")


class Server(asyncssh.SSHServer):
    """Decides who may log in, and forwards whatever is asked for."""

    def __init__(self):
        self._rounds = iter(SETTINGS.get("prompts") or [])
        self._expected = []
        self._connection = None

    def connection_made(self, conn):
        self._connection = conn

    def begin_auth(self, username):
        if username == SETTINGS["user"] and SETTINGS["authorized_keys"]:
            self._connection.set_authorized_keys(SETTINGS["authorized_keys"])
        return True

    def password_auth_supported(self):
        return SETTINGS.get("password") is not None

    def validate_password(self, username, password):
        right = (username, password) == (SETTINGS["user"], SETTINGS["password"])
        if right and SETTINGS.get("new_password"):
            raise asyncssh.PasswordChangeRequired("Your password has expired.")
        return right

    def change_password(self, username, old_password, new_password):
        right = (SETTINGS["user"], SETTINGS["password"], SETTINGS.get("new_password"))
        return (username, old_password, new_password) == right

    def host_based_auth_supported(self):
        return bool(SETTINGS.get("client_hosts"))

    def validate_host_based_user(self, username, client_host, client_username):
        return (username, client_username) == (SETTINGS["user"], SETTINGS.get("client_user"))

    def kbdint_auth_supported(self):
        return bool(SETTINGS.get("prompts"))

    def get_kbdint_challenge(self, username, lang, submethods):
        return self._next_round() or False

    def validate_kbdint_response(self, username, responses):
        if username != SETTINGS["user"] or list(responses) != self._expected:
            return False
        return self._next_round() or True

    def connection_requested(self, dest_host, dest_port, orig_host, orig_port):
        return True

    def server_requested(self, listen_host, listen_port):
        return True

    def unix_connection_requested(self, dest_path):
        return True

    def unix_server_requested(self, listen_path):
        return True

    def _next_round(self):
        prompts = next(self._rounds, None)
        if prompts is None:
            return None
        self._expected = [answer for _, _, answer in prompts]
        return "Test", "Answer, please.", "", [(prompt, echo) for prompt, echo, _ in prompts]


def forget_strict_kex():
    """Takes the marker out of what the server offers, and keeps it from noticing the client's."""
    connection = asyncssh.connection.SSHServerConnection
    connection._get_extra_kex_algs = lambda self: [b"ext-info-s"]
    connection._strict_kex = property(lambda self: False, lambda self, value: None)


async def main():
    """Serves until standard input ends."""
    options = {name: SETTINGS[name] for name in (*ALGORITHMS, "rekey_bytes") if name in SETTINGS}
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Server,
        server_host_keys=[tuple(key) if isinstance(key, list) else key for key in SETTINGS["host_keys"]],
        x509_trusted_certs=SETTINGS.get("ca_certificates", []),
        host_based_auth=bool(SETTINGS.get("client_hosts")),
        known_client_hosts=SETTINGS.get("client_hosts"),
        # What the client calls itself counts, as nothing here is in DNS.
        trust_client_host=True,
        gss_host=None,
        **options,
    )
    print(f"127.0.0.1:{listener.get_port()}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncssh_algorithms.register()
asyncssh_x509.register()
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
asyncssh.set_log_level(logging.DEBUG)
asyncssh.set_debug_level(SETTINGS.get("debug_level", 1))
if not SETTINGS.get("strict_kex", True):
    forget_strict_kex()
asyncio.run(main())
