"""What ``SSHTunnel`` is made of, besides its members: values of known types, hooks, and the end."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Optional, TypeVar

from . import _native

_Self = TypeVar("_Self", bound="Component")


class Params:
    """What an event carries. Fields for answers can be set; the others cannot."""

    __slots__ = ("_answers", "_fields")

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields
        self._answers: dict[str, Any] = {}

    def _set(self, name: str, value: Any) -> None:
        self._fields[name] = value
        self._answers[name] = value

    def _bool(self, name: str) -> bool:
        return bool(self._fields[name])

    def _int(self, name: str) -> int:
        return int(self._fields[name])

    def _str(self, name: str) -> str:
        return str(self._fields[name])

    def _bytes(self, name: str) -> bytes:
        return bytes(self._fields[name])

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self._fields)}>"


class Component:
    """The base of ``SSHTunnel``."""

    def __init__(self) -> None:
        self._native = _native.Component()
        self._hooks: dict[str, Callable[[Any], None]] = {}

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self._native.shutdown()

    def _get_bool(self, name: str) -> bool:
        return bool(self._native.get(name))

    def _get_int(self, name: str) -> int:
        return int(self._native.get(name))

    def _get_str(self, name: str) -> str:
        return str(self._native.get(name))

    def _get_bytes(self, name: str) -> bytes:
        return bytes(self._native.get(name))

    def _set(self, name: str, value: Any) -> None:
        self._native.set(name, value)

    def _get_client_bool(self, name: str, client_id: int) -> bool:
        return bool(self._native.get_client(name, client_id))

    def _get_client_int(self, name: str, client_id: int) -> int:
        return int(self._native.get_client(name, client_id))

    def _get_client_str(self, name: str, client_id: int) -> str:
        return str(self._native.get_client(name, client_id))

    def _get_client_bytes(self, name: str, client_id: int) -> bytes:
        return bytes(self._native.get_client(name, client_id))

    def _set_client(self, name: str, client_id: int, value: Any) -> None:
        self._native.set_client(name, client_id, value)

    def _hook(self, event: str) -> Optional[Callable[[Any], None]]:
        return self._hooks.get(event)

    def _set_hook(
        self, event: str, hook: Optional[Callable[[Any], None]], params: type[Params]
    ) -> None:
        if hook is None:
            self._hooks.pop(event, None)
            self._native.on(event, None)
            return
        if not callable(hook):
            raise TypeError(f"{event} takes a callable, not {type(hook).__name__}")
        wanted = hook

        def handle(fields: dict[str, Any]) -> dict[str, Any]:
            event_params = params(fields)
            wanted(event_params)
            return event_params._answers

        self._hooks[event] = hook
        self._native.on(event, handle)
