"""The mailboxes of the event loops, and the thread that rings the loops."""

from __future__ import annotations

from _thread import start_new_thread
from os import getpid
from weakref import WeakKeyDictionary

from .._native import Bell, Mailbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

_mailboxes: WeakKeyDictionary[AbstractEventLoop, Mailbox] = WeakKeyDictionary()
_bell: Bell | None = None
_process = 0


def mailbox_of(loop: AbstractEventLoop) -> Mailbox:
    """Return the mailbox of an event loop."""
    mailbox = _mailboxes.get(loop)
    return _mailboxes.setdefault(loop, Mailbox(_get_bell())) if mailbox is None else mailbox


def _get_bell() -> Bell:
    """Return the bell of this process; the thread of its parent, if it was forked, does not exist in it."""
    global _bell, _process
    if _bell is None or _process != getpid():
        bell = Bell()
        start_new_thread(_ring, (bell,))
        _bell, _process = bell, getpid()
    return _bell


def _ring(bell: Bell) -> None:
    while True:
        loop, mailbox = bell.next()
        try:
            loop.call_soon_threadsafe(mailbox)
        except RuntimeError:
            # The loop is closed, and with it everybody who waited.
            mailbox.clear()
        del loop, mailbox
