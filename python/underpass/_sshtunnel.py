"""The class ``SSHTunnel`` and what its events carry.

Made from the tables of the component by its test ``generated``; not edited by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from ._component import Component, Params


class SSHTunnelConnectedEventParams(Params):
    """A connection was made, or could not be."""

    @property
    def connection_id(self) -> int:
        """The number of the client's connection."""
        return self._int("connection_id")

    @property
    def status_code(self) -> int:
        """0, or the code of the error."""
        return self._int("status_code")

    @property
    def description(self) -> str:
        """``OK``, or what the error means."""
        return self._str("description")


class SSHTunnelConnectionRequestEventParams(Params):
    """A client wants to connect."""

    @property
    def address(self) -> str:
        """Where the client comes from."""
        return self._str("address")

    @property
    def port(self) -> int:
        """Its port there."""
        return self._int("port")

    @property
    def accept(self) -> bool:
        """Whether the client is let in."""
        return self._bool("accept")

    @accept.setter
    def accept(self, value: bool) -> None:
        self._set("accept", value)


class SSHTunnelDataInEventParams(Params):
    """Data has come from a client; or, with `ChannelDataEOL` and `MaxChannelDataLength` set, from its target."""

    @property
    def connection_id(self) -> int:
        """The number of the client's connection."""
        return self._int("connection_id")

    @property
    def text(self) -> bytes:
        """The data, without the end of line."""
        return self._bytes("text")

    @property
    def eol(self) -> bool:
        """Whether an end of line was found behind the data; true where none is looked for."""
        return self._bool("eol")


class SSHTunnelDisconnectedEventParams(Params):
    """A connection has ended."""

    @property
    def connection_id(self) -> int:
        """The number of the client's connection, or -1 for the one to the server."""
        return self._int("connection_id")

    @property
    def status_code(self) -> int:
        """0, or the code of the error."""
        return self._int("status_code")

    @property
    def description(self) -> str:
        """``OK``, or what the error means."""
        return self._str("description")


class SSHTunnelErrorEventParams(Params):
    """Something went wrong that no call can report."""

    @property
    def connection_id(self) -> int:
        """The number of the client's connection."""
        return self._int("connection_id")

    @property
    def error_code(self) -> int:
        """The code of the error."""
        return self._int("error_code")

    @property
    def description(self) -> str:
        """What it means."""
        return self._str("description")


class SSHTunnelLogEventParams(Params):
    """There is a line for the log."""

    @property
    def log_level(self) -> int:
        """How much detail it is."""
        return self._int("log_level")

    @property
    def message(self) -> str:
        """The line."""
        return self._str("message")

    @property
    def log_type(self) -> str:
        """Not used yet."""
        return self._str("log_type")


class SSHTunnelReconnectAttemptEventParams(Params):
    """A broken connection is about to be made anew."""

    @property
    def host(self) -> str:
        """The server."""
        return self._str("host")

    @property
    def port(self) -> int:
        """Its port."""
        return self._int("port")

    @property
    def retry_count(self) -> int:
        """Which attempt this is, from 1."""
        return self._int("retry_count")

    @property
    def retries_remaining(self) -> int:
        """How many may follow, or -1 for any number."""
        return self._int("retries_remaining")

    @property
    def max_retry_count(self) -> int:
        """``MaxRetryCount``."""
        return self._int("max_retry_count")

    @property
    def retry_interval(self) -> int:
        """``RetryInterval``, in seconds."""
        return self._int("retry_interval")

    @property
    def retry_type(self) -> int:
        """What is made anew."""
        return self._int("retry_type")

    @property
    def remote_listening_port(self) -> int:
        """The server's port of a reverse tunnel, where the tunnel is made anew."""
        return self._int("remote_listening_port")

    @property
    def cancel(self) -> bool:
        """True to give up."""
        return self._bool("cancel")

    @cancel.setter
    def cancel(self, value: bool) -> None:
        self._set("cancel", value)


class SSHTunnelSSHCustomAuthEventParams(Params):
    """The program's own authentication is to answer the server."""

    @property
    def packet(self) -> str:
        """The server's last packet in hexadecimal; the answer, likewise."""
        return self._str("packet")

    @packet.setter
    def packet(self, value: str) -> None:
        self._set("packet", value)


class SSHTunnelSSHKeyboardInteractiveEventParams(Params):
    """The server asks the user something."""

    @property
    def name(self) -> str:
        """What the server calls the method."""
        return self._str("name")

    @property
    def instructions(self) -> str:
        """What the server wants the user to know."""
        return self._str("instructions")

    @property
    def prompt(self) -> str:
        """The question."""
        return self._str("prompt")

    @property
    def response(self) -> str:
        """The answer."""
        return self._str("response")

    @response.setter
    def response(self, value: str) -> None:
        self._set("response", value)

    @property
    def echo_response(self) -> bool:
        """Whether the user may see what is typed."""
        return self._bool("echo_response")


class SSHTunnelSSHServerAuthenticationEventParams(Params):
    """The server has shown its key."""

    @property
    def host_key(self) -> bytes:
        """The key, as SSH writes it."""
        return self._bytes("host_key")

    @property
    def fingerprint(self) -> str:
        """Its fingerprint in hexadecimal, by ``SSHFingerprintHashAlgorithm``."""
        return self._str("fingerprint")

    @property
    def key_algorithm(self) -> str:
        """The algorithm of the key."""
        return self._str("key_algorithm")

    @property
    def cert_subject(self) -> str:
        """The subject of the key's X.509 certificate."""
        return self._str("cert_subject")

    @property
    def cert_issuer(self) -> str:
        """Its issuer."""
        return self._str("cert_issuer")

    @property
    def status(self) -> str:
        """Not used yet."""
        return self._str("status")

    @property
    def accept(self) -> bool:
        """Whether this is the right server."""
        return self._bool("accept")

    @accept.setter
    def accept(self, value: bool) -> None:
        self._set("accept", value)


class SSHTunnelSSHStatusEventParams(Params):
    """The connection makes progress."""

    @property
    def message(self) -> str:
        """What happens."""
        return self._str("message")


class SSHTunnel(Component):
    """An SSH tunnel as a component: set properties, start, and handle events.

    Events are delivered on the thread that calls ``do_events``, and while a call waits. Methods and properties raise
    ``SSHTunnelError`` with a ``code`` and a ``message``. As a context manager it shuts down at the end.
    """

    def get_connected(self) -> bool:
        """Whether there is a connection to the server; setting it is ``connect`` or the end of it. Default:
        ``False``.
        """
        return self._get_bool("connected")

    def set_connected(self, value: bool) -> None:
        """Sets ``connected``."""
        self._set("connected", value)

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the server; setting it is ``connect`` or the end of it. Default:
        ``False``.
        """
        return self.get_connected()

    @connected.setter
    def connected(self, value: bool) -> None:
        self.set_connected(value)

    def get_connection_backlog(self) -> int:
        """How many clients may wait to be accepted. Default: ``5``."""
        return self._get_int("connection_backlog")

    def set_connection_backlog(self, value: int) -> None:
        """Sets ``connection_backlog``."""
        self._set("connection_backlog", value)

    @property
    def connection_backlog(self) -> int:
        """How many clients may wait to be accepted. Default: ``5``."""
        return self.get_connection_backlog()

    @connection_backlog.setter
    def connection_backlog(self, value: int) -> None:
        self.set_connection_backlog(value)

    def get_client_count(self) -> int:
        """How many clients there are. Default: ``0``."""
        return self._get_int("client_count")

    @property
    def client_count(self) -> int:
        """How many clients there are. Default: ``0``."""
        return self.get_client_count()

    def get_client_accept_data(self, client_id: int) -> bool:
        """Whether data is read from the client's connection. ``client_id`` is the place of the client."""
        return self._get_client_bool("client_accept_data", client_id)

    def set_client_accept_data(self, client_id: int, value: bool) -> None:
        """Whether data is read from the client's connection. ``client_id`` is the place of the client."""
        self._set_client("client_accept_data", client_id, value)

    def get_client_bytes_sent(self, client_id: int) -> int:
        """How many bytes of the last ``client_data_to_send`` are sent. ``client_id`` is the place of the
        client.
        """
        return self._get_client_int("client_bytes_sent", client_id)

    def get_client_connected(self, client_id: int) -> bool:
        """Whether the client is connected; false ends its connection. ``client_id`` is the place of the
        client.
        """
        return self._get_client_bool("client_connected", client_id)

    def set_client_connected(self, client_id: int, value: bool) -> None:
        """Whether the client is connected; false ends its connection. ``client_id`` is the place of the
        client.
        """
        self._set_client("client_connected", client_id, value)

    def get_client_connection_id(self, client_id: int) -> str:
        """What identifies the client's connection. ``client_id`` is the place of the client."""
        return self._get_client_str("client_connection_id", client_id)

    def set_client_data_to_send(self, client_id: int, value: bytes) -> None:
        """Sends these bytes. ``client_id`` is the place of the client."""
        self._set_client("client_data_to_send", client_id, value)

    def get_client_eol(self, client_id: int) -> bytes:
        """What ends a line of the client's data; without it data is told of as it comes. ``client_id`` is the
        place of the client.
        """
        return self._get_client_bytes("client_eol", client_id)

    def set_client_eol(self, client_id: int, value: bytes) -> None:
        """What ends a line of the client's data; without it data is told of as it comes. ``client_id`` is the
        place of the client.
        """
        self._set_client("client_eol", client_id, value)

    def get_client_idle_timeout(self, client_id: int) -> int:
        """After how long without data the client is disconnected; 0 for never. ``client_id`` is the place of
        the client.
        """
        return self._get_client_int("client_idle_timeout", client_id)

    def set_client_idle_timeout(self, client_id: int, value: int) -> None:
        """After how long without data the client is disconnected; 0 for never. ``client_id`` is the place of
        the client.
        """
        self._set_client("client_idle_timeout", client_id, value)

    def get_client_local_address(self, client_id: int) -> str:
        """The address of this machine that the client has connected to. ``client_id`` is the place of the
        client.
        """
        return self._get_client_str("client_local_address", client_id)

    def get_client_ready_to_send(self, client_id: int) -> bool:
        """Whether data would be taken now. ``client_id`` is the place of the client."""
        return self._get_client_bool("client_ready_to_send", client_id)

    def get_client_record_length(self, client_id: int) -> int:
        """How many bytes are told of at a time; 0 for as they come. ``client_id`` is the place of the client."""
        return self._get_client_int("client_record_length", client_id)

    def set_client_record_length(self, client_id: int, value: int) -> None:
        """How many bytes are told of at a time; 0 for as they come. ``client_id`` is the place of the client."""
        self._set_client("client_record_length", client_id, value)

    def get_client_remote_host(self, client_id: int) -> str:
        """The address the client connects from. ``client_id`` is the place of the client."""
        return self._get_client_str("client_remote_host", client_id)

    def get_client_remote_port(self, client_id: int) -> int:
        """The port the client connects from. ``client_id`` is the place of the client."""
        return self._get_client_int("client_remote_port", client_id)

    def get_client_single_line_mode(self, client_id: int) -> bool:
        """Whether CR, LF and CRLF each end a line of the client's data, whatever ``client_eol`` is.
        ``client_id`` is the place of the client.
        """
        return self._get_client_bool("client_single_line_mode", client_id)

    def set_client_single_line_mode(self, client_id: int, value: bool) -> None:
        """Whether CR, LF and CRLF each end a line of the client's data, whatever ``client_eol`` is.
        ``client_id`` is the place of the client.
        """
        self._set_client("client_single_line_mode", client_id, value)

    def get_client_timeout(self, client_id: int) -> int:
        """How long sending to the client may take without progress; 0 does not wait. ``client_id`` is the
        place of the client.
        """
        return self._get_client_int("client_timeout", client_id)

    def set_client_timeout(self, client_id: int, value: int) -> None:
        """How long sending to the client may take without progress; 0 does not wait. ``client_id`` is the
        place of the client.
        """
        self._set_client("client_timeout", client_id, value)

    def get_client_user_data(self, client_id: int) -> bytes:
        """Whatever the program wants to keep with the client. ``client_id`` is the place of the client."""
        return self._get_client_bytes("client_user_data", client_id)

    def set_client_user_data(self, client_id: int, value: bytes) -> None:
        """Whatever the program wants to keep with the client. ``client_id`` is the place of the client."""
        self._set_client("client_user_data", client_id, value)

    def get_default_eol(self) -> bytes:
        """``client_eol`` of new clients."""
        return self._get_bytes("default_eol")

    def set_default_eol(self, value: bytes) -> None:
        """Sets ``default_eol``."""
        self._set("default_eol", value)

    @property
    def default_eol(self) -> bytes:
        """``client_eol`` of new clients."""
        return self.get_default_eol()

    @default_eol.setter
    def default_eol(self, value: bytes) -> None:
        self.set_default_eol(value)

    def get_default_single_line_mode(self) -> bool:
        """``client_single_line_mode`` of new clients. Default: ``False``."""
        return self._get_bool("default_single_line_mode")

    def set_default_single_line_mode(self, value: bool) -> None:
        """Sets ``default_single_line_mode``."""
        self._set("default_single_line_mode", value)

    @property
    def default_single_line_mode(self) -> bool:
        """``client_single_line_mode`` of new clients. Default: ``False``."""
        return self.get_default_single_line_mode()

    @default_single_line_mode.setter
    def default_single_line_mode(self, value: bool) -> None:
        self.set_default_single_line_mode(value)

    def get_default_timeout(self) -> int:
        """``client_timeout`` of new clients. Default: ``0``."""
        return self._get_int("default_timeout")

    def set_default_timeout(self, value: int) -> None:
        """Sets ``default_timeout``."""
        self._set("default_timeout", value)

    @property
    def default_timeout(self) -> int:
        """``client_timeout`` of new clients. Default: ``0``."""
        return self.get_default_timeout()

    @default_timeout.setter
    def default_timeout(self, value: int) -> None:
        self.set_default_timeout(value)

    def get_firewall_auto_detect(self) -> bool:
        """Whether the proxy of the system's settings is used: of the environment's variables, or of the
        desktop. Default: ``False``.
        """
        return self._get_bool("firewall_auto_detect")

    def set_firewall_auto_detect(self, value: bool) -> None:
        """Sets ``firewall_auto_detect``."""
        self._set("firewall_auto_detect", value)

    @property
    def firewall_auto_detect(self) -> bool:
        """Whether the proxy of the system's settings is used: of the environment's variables, or of the
        desktop. Default: ``False``.
        """
        return self.get_firewall_auto_detect()

    @firewall_auto_detect.setter
    def firewall_auto_detect(self, value: bool) -> None:
        self.set_firewall_auto_detect(value)

    def get_firewall_type(self) -> int:
        """Which kind of proxy leads to the server. Default: ``0``."""
        return self._get_int("firewall_type")

    def set_firewall_type(self, value: int) -> None:
        """Sets ``firewall_type``."""
        self._set("firewall_type", value)

    @property
    def firewall_type(self) -> int:
        """Which kind of proxy leads to the server. Default: ``0``."""
        return self.get_firewall_type()

    @firewall_type.setter
    def firewall_type(self, value: int) -> None:
        self.set_firewall_type(value)

    def get_firewall_host(self) -> str:
        """The proxy's name or address."""
        return self._get_str("firewall_host")

    def set_firewall_host(self, value: str) -> None:
        """Sets ``firewall_host``."""
        self._set("firewall_host", value)

    @property
    def firewall_host(self) -> str:
        """The proxy's name or address."""
        return self.get_firewall_host()

    @firewall_host.setter
    def firewall_host(self, value: str) -> None:
        self.set_firewall_host(value)

    def get_firewall_password(self) -> str:
        """The password for the proxy."""
        return self._get_str("firewall_password")

    def set_firewall_password(self, value: str) -> None:
        """Sets ``firewall_password``."""
        self._set("firewall_password", value)

    @property
    def firewall_password(self) -> str:
        """The password for the proxy."""
        return self.get_firewall_password()

    @firewall_password.setter
    def firewall_password(self, value: str) -> None:
        self.set_firewall_password(value)

    def get_firewall_port(self) -> int:
        """The proxy's port. Default: ``0``."""
        return self._get_int("firewall_port")

    def set_firewall_port(self, value: int) -> None:
        """Sets ``firewall_port``."""
        self._set("firewall_port", value)

    @property
    def firewall_port(self) -> int:
        """The proxy's port. Default: ``0``."""
        return self.get_firewall_port()

    @firewall_port.setter
    def firewall_port(self, value: int) -> None:
        self.set_firewall_port(value)

    def get_firewall_user(self) -> str:
        """The user at the proxy."""
        return self._get_str("firewall_user")

    def set_firewall_user(self, value: str) -> None:
        """Sets ``firewall_user``."""
        self._set("firewall_user", value)

    @property
    def firewall_user(self) -> str:
        """The user at the proxy."""
        return self.get_firewall_user()

    @firewall_user.setter
    def firewall_user(self, value: str) -> None:
        self.set_firewall_user(value)

    def get_keep_alive(self) -> bool:
        """Whether TCP finds out that clients are gone. Default: ``False``."""
        return self._get_bool("keep_alive")

    def set_keep_alive(self, value: bool) -> None:
        """Sets ``keep_alive``."""
        self._set("keep_alive", value)

    @property
    def keep_alive(self) -> bool:
        """Whether TCP finds out that clients are gone. Default: ``False``."""
        return self.get_keep_alive()

    @keep_alive.setter
    def keep_alive(self, value: bool) -> None:
        self.set_keep_alive(value)

    def get_linger(self) -> bool:
        """Whether what is to be sent is sent before a client's connection is closed. Default: ``True``."""
        return self._get_bool("linger")

    def set_linger(self, value: bool) -> None:
        """Sets ``linger``."""
        self._set("linger", value)

    @property
    def linger(self) -> bool:
        """Whether what is to be sent is sent before a client's connection is closed. Default: ``True``."""
        return self.get_linger()

    @linger.setter
    def linger(self, value: bool) -> None:
        self.set_linger(value)

    def get_listening(self) -> bool:
        """Whether clients are accepted; setting it is ``start_listening`` or ``stop_listening``. Default:
        ``False``.
        """
        return self._get_bool("listening")

    def set_listening(self, value: bool) -> None:
        """Sets ``listening``."""
        self._set("listening", value)

    @property
    def listening(self) -> bool:
        """Whether clients are accepted; setting it is ``start_listening`` or ``stop_listening``. Default:
        ``False``.
        """
        return self.get_listening()

    @listening.setter
    def listening(self, value: bool) -> None:
        self.set_listening(value)

    def get_local_host(self) -> str:
        """The address of this machine to listen at and connect from."""
        return self._get_str("local_host")

    def set_local_host(self, value: str) -> None:
        """Sets ``local_host``."""
        self._set("local_host", value)

    @property
    def local_host(self) -> str:
        """The address of this machine to listen at and connect from."""
        return self.get_local_host()

    @local_host.setter
    def local_host(self, value: str) -> None:
        self.set_local_host(value)

    def get_local_port(self) -> int:
        """The port to listen at; 0 picks a free one, which can then be read. Default: ``0``."""
        return self._get_int("local_port")

    def set_local_port(self, value: int) -> None:
        """Sets ``local_port``."""
        self._set("local_port", value)

    @property
    def local_port(self) -> int:
        """The port to listen at; 0 picks a free one, which can then be read. Default: ``0``."""
        return self.get_local_port()

    @local_port.setter
    def local_port(self, value: int) -> None:
        self.set_local_port(value)

    def get_ssh_accept_server_host_key_encoded(self) -> bytes:
        """The server's key that is accepted, in PEM or base64."""
        return self._get_bytes("ssh_accept_server_host_key_encoded")

    def set_ssh_accept_server_host_key_encoded(self, value: bytes) -> None:
        """Sets ``ssh_accept_server_host_key_encoded``."""
        self._set("ssh_accept_server_host_key_encoded", value)

    @property
    def ssh_accept_server_host_key_encoded(self) -> bytes:
        """The server's key that is accepted, in PEM or base64."""
        return self.get_ssh_accept_server_host_key_encoded()

    @ssh_accept_server_host_key_encoded.setter
    def ssh_accept_server_host_key_encoded(self, value: bytes) -> None:
        self.set_ssh_accept_server_host_key_encoded(value)

    def get_ssh_auth_mode(self) -> int:
        """How to log in. Default: ``2``."""
        return self._get_int("ssh_auth_mode")

    def set_ssh_auth_mode(self, value: int) -> None:
        """Sets ``ssh_auth_mode``."""
        self._set("ssh_auth_mode", value)

    @property
    def ssh_auth_mode(self) -> int:
        """How to log in. Default: ``2``."""
        return self.get_ssh_auth_mode()

    @ssh_auth_mode.setter
    def ssh_auth_mode(self, value: int) -> None:
        self.set_ssh_auth_mode(value)

    def get_ssh_cert_encoded(self) -> bytes:
        """The certificate to log in with, in PEM or base64; its key is found in the store."""
        return self._get_bytes("ssh_cert_encoded")

    def set_ssh_cert_encoded(self, value: bytes) -> None:
        """Sets ``ssh_cert_encoded``."""
        self._set("ssh_cert_encoded", value)

    @property
    def ssh_cert_encoded(self) -> bytes:
        """The certificate to log in with, in PEM or base64; its key is found in the store."""
        return self.get_ssh_cert_encoded()

    @ssh_cert_encoded.setter
    def ssh_cert_encoded(self, value: bytes) -> None:
        self.set_ssh_cert_encoded(value)

    def get_ssh_cert_store(self) -> bytes:
        """The store of the key to log in with: its name, a file or the content. Default: ``MY``."""
        return self._get_bytes("ssh_cert_store")

    def set_ssh_cert_store(self, value: bytes) -> None:
        """Sets ``ssh_cert_store``."""
        self._set("ssh_cert_store", value)

    @property
    def ssh_cert_store(self) -> bytes:
        """The store of the key to log in with: its name, a file or the content. Default: ``MY``."""
        return self.get_ssh_cert_store()

    @ssh_cert_store.setter
    def ssh_cert_store(self, value: bytes) -> None:
        self.set_ssh_cert_store(value)

    def get_ssh_cert_store_password(self) -> str:
        """The password of the store, or the PIN of the token."""
        return self._get_str("ssh_cert_store_password")

    def set_ssh_cert_store_password(self, value: str) -> None:
        """Sets ``ssh_cert_store_password``."""
        self._set("ssh_cert_store_password", value)

    @property
    def ssh_cert_store_password(self) -> str:
        """The password of the store, or the PIN of the token."""
        return self.get_ssh_cert_store_password()

    @ssh_cert_store_password.setter
    def ssh_cert_store_password(self, value: str) -> None:
        self.set_ssh_cert_store_password(value)

    def get_ssh_cert_store_type(self) -> int:
        """What kind of store it is. Default: ``0``."""
        return self._get_int("ssh_cert_store_type")

    def set_ssh_cert_store_type(self, value: int) -> None:
        """Sets ``ssh_cert_store_type``."""
        self._set("ssh_cert_store_type", value)

    @property
    def ssh_cert_store_type(self) -> int:
        """What kind of store it is. Default: ``0``."""
        return self.get_ssh_cert_store_type()

    @ssh_cert_store_type.setter
    def ssh_cert_store_type(self, value: int) -> None:
        self.set_ssh_cert_store_type(value)

    def get_ssh_cert_subject(self) -> str:
        """The subject of the certificate; setting it finds one in the store, ``*`` any."""
        return self._get_str("ssh_cert_subject")

    def set_ssh_cert_subject(self, value: str) -> None:
        """Sets ``ssh_cert_subject``."""
        self._set("ssh_cert_subject", value)

    @property
    def ssh_cert_subject(self) -> str:
        """The subject of the certificate; setting it finds one in the store, ``*`` any."""
        return self.get_ssh_cert_subject()

    @ssh_cert_subject.setter
    def ssh_cert_subject(self, value: str) -> None:
        self.set_ssh_cert_subject(value)

    def get_ssh_compression_algorithms(self) -> str:
        """The compressions offered, best first. Default: ``none,zlib``."""
        return self._get_str("ssh_compression_algorithms")

    def set_ssh_compression_algorithms(self, value: str) -> None:
        """Sets ``ssh_compression_algorithms``."""
        self._set("ssh_compression_algorithms", value)

    @property
    def ssh_compression_algorithms(self) -> str:
        """The compressions offered, best first. Default: ``none,zlib``."""
        return self.get_ssh_compression_algorithms()

    @ssh_compression_algorithms.setter
    def ssh_compression_algorithms(self, value: str) -> None:
        self.set_ssh_compression_algorithms(value)

    def get_ssh_encryption_algorithms(self) -> str:
        """The ciphers offered, best first. Default:
        ``aes256-ctr,aes192-ctr,aes128-ctr,aes256-cbc,aes192-cbc,aes128-cbc,3des-ctr,3des-cbc,blowfish-cbc,arcfour256,arcfour128,arcfour,cast128-cbc,aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com``.
        """
        return self._get_str("ssh_encryption_algorithms")

    def set_ssh_encryption_algorithms(self, value: str) -> None:
        """Sets ``ssh_encryption_algorithms``."""
        self._set("ssh_encryption_algorithms", value)

    @property
    def ssh_encryption_algorithms(self) -> str:
        """The ciphers offered, best first. Default:
        ``aes256-ctr,aes192-ctr,aes128-ctr,aes256-cbc,aes192-cbc,aes128-cbc,3des-ctr,3des-cbc,blowfish-cbc,arcfour256,arcfour128,arcfour,cast128-cbc,aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com``.
        """
        return self.get_ssh_encryption_algorithms()

    @ssh_encryption_algorithms.setter
    def ssh_encryption_algorithms(self, value: str) -> None:
        self.set_ssh_encryption_algorithms(value)

    def get_ssh_forward_host(self) -> str:
        """The target, as seen from the server; without it each client names its own."""
        return self._get_str("ssh_forward_host")

    def set_ssh_forward_host(self, value: str) -> None:
        """Sets ``ssh_forward_host``."""
        self._set("ssh_forward_host", value)

    @property
    def ssh_forward_host(self) -> str:
        """The target, as seen from the server; without it each client names its own."""
        return self.get_ssh_forward_host()

    @ssh_forward_host.setter
    def ssh_forward_host(self, value: str) -> None:
        self.set_ssh_forward_host(value)

    def get_ssh_forward_port(self) -> int:
        """The target's port. Default: ``0``."""
        return self._get_int("ssh_forward_port")

    def set_ssh_forward_port(self, value: int) -> None:
        """Sets ``ssh_forward_port``."""
        self._set("ssh_forward_port", value)

    @property
    def ssh_forward_port(self) -> int:
        """The target's port. Default: ``0``."""
        return self.get_ssh_forward_port()

    @ssh_forward_port.setter
    def ssh_forward_port(self, value: int) -> None:
        self.set_ssh_forward_port(value)

    def get_ssh_host(self) -> str:
        """The server's name or address."""
        return self._get_str("ssh_host")

    def set_ssh_host(self, value: str) -> None:
        """Sets ``ssh_host``."""
        self._set("ssh_host", value)

    @property
    def ssh_host(self) -> str:
        """The server's name or address."""
        return self.get_ssh_host()

    @ssh_host.setter
    def ssh_host(self, value: str) -> None:
        self.set_ssh_host(value)

    def get_ssh_password(self) -> str:
        """The password to log in with."""
        return self._get_str("ssh_password")

    def set_ssh_password(self, value: str) -> None:
        """Sets ``ssh_password``."""
        self._set("ssh_password", value)

    @property
    def ssh_password(self) -> str:
        """The password to log in with."""
        return self.get_ssh_password()

    @ssh_password.setter
    def ssh_password(self, value: str) -> None:
        self.set_ssh_password(value)

    def get_ssh_port(self) -> int:
        """The server's port. Default: ``22``."""
        return self._get_int("ssh_port")

    def set_ssh_port(self, value: int) -> None:
        """Sets ``ssh_port``."""
        self._set("ssh_port", value)

    @property
    def ssh_port(self) -> int:
        """The server's port. Default: ``22``."""
        return self.get_ssh_port()

    @ssh_port.setter
    def ssh_port(self, value: int) -> None:
        self.set_ssh_port(value)

    def get_ssh_user(self) -> str:
        """The user to log in as."""
        return self._get_str("ssh_user")

    def set_ssh_user(self, value: str) -> None:
        """Sets ``ssh_user``."""
        self._set("ssh_user", value)

    @property
    def ssh_user(self) -> str:
        """The user to log in as."""
        return self.get_ssh_user()

    @ssh_user.setter
    def ssh_user(self, value: str) -> None:
        self.set_ssh_user(value)

    def config(self, configuration_string: str) -> str:
        """Sets a setting, ``Name=Value``, or reads one, ``Name``."""
        return self._native.config(configuration_string)

    def connect(self) -> None:
        """Connects to the server, without logging in."""
        self._native.connect()

    def decode_packet(self, encoded_packet: str) -> bytes:
        """Turns the hexadecimal form of a packet into its bytes."""
        return self._native.decode_packet(encoded_packet)

    def disconnect(self, connection_id: int) -> None:
        """Ends the connection of one client at once."""
        self._native.disconnect(connection_id)

    def do_events(self) -> None:
        """Delivers the events that wait; without any it waits for ``SelectWaitMillis``."""
        self._native.do_events()

    def encode_packet(self, packet: bytes) -> str:
        """Turns the bytes of a packet into their hexadecimal form."""
        return self._native.encode_packet(packet)

    def get_ssh_param(self, payload: bytes, field: str) -> str:
        """Reads a field of a packet as text, by its name or by the types before it."""
        return self._native.get_ssh_param(payload, field)

    def get_ssh_param_bytes(self, payload: bytes, field: str) -> bytes:
        """Reads a field of a packet as bytes."""
        return self._native.get_ssh_param_bytes(payload, field)

    def reset(self) -> None:
        """Gives every property its default again."""
        self._native.reset()

    def set_ssh_param(self, payload: bytes, field_type: str, field_value: str) -> bytes:
        """Adds a field to the end of a packet."""
        return self._native.set_ssh_param(payload, field_type, field_value)

    def shutdown(self) -> None:
        """Listens no more and ends the connection of every client."""
        self._native.shutdown()

    def start_listening(self) -> None:
        """Connects, logs in and accepts clients at ``local_port``."""
        self._native.start_listening()

    def stop_listening(self) -> None:
        """Accepts no more clients; those that are there stay."""
        self._native.stop_listening()

    @property
    def on_connected(self) -> Optional[Callable[[SSHTunnelConnectedEventParams], None]]:
        """A connection was made, or could not be: who is told."""
        return self._hook("on_connected")

    @on_connected.setter
    def on_connected(self, event_hook: Optional[Callable[[SSHTunnelConnectedEventParams], None]]) -> None:
        self._set_hook("on_connected", event_hook, SSHTunnelConnectedEventParams)

    @property
    def on_connection_request(self) -> Optional[Callable[[SSHTunnelConnectionRequestEventParams], None]]:
        """A client wants to connect: who is told."""
        return self._hook("on_connection_request")

    @on_connection_request.setter
    def on_connection_request(self, event_hook: Optional[Callable[[SSHTunnelConnectionRequestEventParams], None]]) -> None:
        self._set_hook("on_connection_request", event_hook, SSHTunnelConnectionRequestEventParams)

    @property
    def on_data_in(self) -> Optional[Callable[[SSHTunnelDataInEventParams], None]]:
        """Data has come from a client; or, with `ChannelDataEOL` and `MaxChannelDataLength` set, from its target: who is told."""
        return self._hook("on_data_in")

    @on_data_in.setter
    def on_data_in(self, event_hook: Optional[Callable[[SSHTunnelDataInEventParams], None]]) -> None:
        self._set_hook("on_data_in", event_hook, SSHTunnelDataInEventParams)

    @property
    def on_disconnected(self) -> Optional[Callable[[SSHTunnelDisconnectedEventParams], None]]:
        """A connection has ended: who is told."""
        return self._hook("on_disconnected")

    @on_disconnected.setter
    def on_disconnected(self, event_hook: Optional[Callable[[SSHTunnelDisconnectedEventParams], None]]) -> None:
        self._set_hook("on_disconnected", event_hook, SSHTunnelDisconnectedEventParams)

    @property
    def on_error(self) -> Optional[Callable[[SSHTunnelErrorEventParams], None]]:
        """Something went wrong that no call can report: who is told."""
        return self._hook("on_error")

    @on_error.setter
    def on_error(self, event_hook: Optional[Callable[[SSHTunnelErrorEventParams], None]]) -> None:
        self._set_hook("on_error", event_hook, SSHTunnelErrorEventParams)

    @property
    def on_log(self) -> Optional[Callable[[SSHTunnelLogEventParams], None]]:
        """There is a line for the log: who is told."""
        return self._hook("on_log")

    @on_log.setter
    def on_log(self, event_hook: Optional[Callable[[SSHTunnelLogEventParams], None]]) -> None:
        self._set_hook("on_log", event_hook, SSHTunnelLogEventParams)

    @property
    def on_reconnect_attempt(self) -> Optional[Callable[[SSHTunnelReconnectAttemptEventParams], None]]:
        """A broken connection is about to be made anew: who is told."""
        return self._hook("on_reconnect_attempt")

    @on_reconnect_attempt.setter
    def on_reconnect_attempt(self, event_hook: Optional[Callable[[SSHTunnelReconnectAttemptEventParams], None]]) -> None:
        self._set_hook("on_reconnect_attempt", event_hook, SSHTunnelReconnectAttemptEventParams)

    @property
    def on_ssh_custom_auth(self) -> Optional[Callable[[SSHTunnelSSHCustomAuthEventParams], None]]:
        """The program's own authentication is to answer the server: who is told."""
        return self._hook("on_ssh_custom_auth")

    @on_ssh_custom_auth.setter
    def on_ssh_custom_auth(self, event_hook: Optional[Callable[[SSHTunnelSSHCustomAuthEventParams], None]]) -> None:
        self._set_hook("on_ssh_custom_auth", event_hook, SSHTunnelSSHCustomAuthEventParams)

    @property
    def on_ssh_keyboard_interactive(self) -> Optional[Callable[[SSHTunnelSSHKeyboardInteractiveEventParams], None]]:
        """The server asks the user something: who is told."""
        return self._hook("on_ssh_keyboard_interactive")

    @on_ssh_keyboard_interactive.setter
    def on_ssh_keyboard_interactive(self, event_hook: Optional[Callable[[SSHTunnelSSHKeyboardInteractiveEventParams], None]]) -> None:
        self._set_hook("on_ssh_keyboard_interactive", event_hook, SSHTunnelSSHKeyboardInteractiveEventParams)

    @property
    def on_ssh_server_authentication(self) -> Optional[Callable[[SSHTunnelSSHServerAuthenticationEventParams], None]]:
        """The server has shown its key: who is told."""
        return self._hook("on_ssh_server_authentication")

    @on_ssh_server_authentication.setter
    def on_ssh_server_authentication(self, event_hook: Optional[Callable[[SSHTunnelSSHServerAuthenticationEventParams], None]]) -> None:
        self._set_hook("on_ssh_server_authentication", event_hook, SSHTunnelSSHServerAuthenticationEventParams)

    @property
    def on_ssh_status(self) -> Optional[Callable[[SSHTunnelSSHStatusEventParams], None]]:
        """The connection makes progress: who is told."""
        return self._hook("on_ssh_status")

    @on_ssh_status.setter
    def on_ssh_status(self, event_hook: Optional[Callable[[SSHTunnelSSHStatusEventParams], None]]) -> None:
        self._set_hook("on_ssh_status", event_hook, SSHTunnelSSHStatusEventParams)
