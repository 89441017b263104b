"""What a tunnel tells: to the log, and to the program's handlers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Optional, Union

from ._native import Event

#: Called with each event.
EventHandler = Callable[[Event], Any]

#: Called with each new state.
StateHandler = Callable[[str], Any]

Logger = Union[logging.Logger, "logging.LoggerAdapter[Any]"]

#: Where tunnels log unless they are told otherwise.
LOGGER = logging.getLogger("underpass")

# For the levels 0 to 3 of events.
_LEVELS = (logging.INFO, logging.DEBUG, logging.DEBUG - 1, logging.DEBUG - 2)

_WARNINGS = {"warning", "connection-failed", "reconnecting", "host-key"}

# The events that change a state, and to which one.
_STATES = {"reconnecting": "reconnecting", "reconnected": "open", "stopping": "stopping", "closed": "closed"}


class Listener:
    """Hears the events of one tunnel, in order, on a thread of the native half."""

    def __init__(
        self,
        on_event: Optional[EventHandler],
        on_state_change: Optional[StateHandler],
        logger: Optional[Logger],
        verbosity: int,
        packets: bool = False,
    ) -> None:
        self._on_event = on_event
        self._on_state_change = on_state_change
        self._logger = LOGGER if logger is None else logger
        self._verbosity = verbosity
        # Whether packets were asked for, which then count as much as anything.
        self._packets = packets
        self._state = "open"
        #: Where the handlers run; ``None`` for where the events come.
        self.loop: Optional[asyncio.AbstractEventLoop] = None

    def level(self) -> int:
        """The highest level of events that is of interest to anybody."""
        logged = [level for level, number in enumerate(_LEVELS) if self._logger.isEnabledFor(number)]
        handled = self._verbosity if self._on_event is not None else 0
        wants_packets = self._on_event is not None or self._logger.isEnabledFor(logging.DEBUG)
        traced = 3 if self._packets and wants_packets else 0
        return max(handled, traced, *logged, 0)

    def __call__(self, event: Event) -> int:
        number = logging.DEBUG if self._is_packet(event) else _LEVELS[event.level]
        number = logging.WARNING if _is_warning(event) else number
        if self._logger.isEnabledFor(number):
            dump = event.dump
            self._logger.log(number, "%s", event.message if dump is None else f"{event.message}\n{dump}")
        if self._on_event is not None or self._on_state_change is not None:
            self._hand_on(event)
        return self.level()

    def _hand_on(self, event: Event) -> None:
        if self.loop is None:
            self._handle(event)
            return
        try:
            self.loop.call_soon_threadsafe(self._handle, event)
        except RuntimeError:
            pass  # The loop is closed, and with it went whoever wanted to know.

    def _handle(self, event: Event) -> None:
        if self._on_event is not None and (event.level <= self._verbosity or self._is_packet(event)):
            self._call(self._on_event, event)
        state = _STATES.get(event.name, self._state)
        if state != self._state:
            self._state = state
            if self._on_state_change is not None:
                self._call(self._on_state_change, state)

    def _is_packet(self, event: Event) -> bool:
        """Whether it is told because packets are."""
        return self._packets and event.name == "packet"

    def _call(self, handler: Callable[[Any], Any], argument: Any) -> None:
        try:
            handler(argument)
        except Exception:
            self._logger.exception("a handler has raised; the tunnel goes on")


def _is_warning(event: Event) -> bool:
    if event.level > 0:
        return False
    return event.name in _WARNINGS or (event.name == "closed" and event.fields["error"] is not None)
