"""Dropping rights: the server parses what strangers write, so it should not be root."""

from __future__ import annotations

import ctypes
import grp
import os
import pwd

from engine.core.errors import SettingsError

_PR_SET_PDEATHSIG, _PR_GET_PDEATHSIG = 1, 2
_GROUPS = ("adm", "systemd-journal")
"""Groups whose members may read logs and the journal."""


def drop_privileges(user: str) -> None:
    """Makes this process `user`'s for good, all threads of it, with the groups that read logs.

    To be called by root after the hands are started; raises `SettingsError` where there is no
    such user, or where the drop did not hold.
    """
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise SettingsError(f"server.user: there is no user {user!r} on this machine") from None
    if entry.pw_uid == 0:
        raise SettingsError("server.user: root is what the server should not be")
    groups = {entry.pw_gid}
    for name in _GROUPS:
        try:
            groups.add(grp.getgrnam(name).gr_gid)
        except KeyError:
            continue
    death_signal = ctypes.c_int(0)
    kernel = ctypes.CDLL(None, use_errno=True)
    kernel.prctl(_PR_GET_PDEATHSIG, ctypes.byref(death_signal), 0, 0, 0)
    os.setgroups(sorted(groups))
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    # The kernel forgets it when the user changes; without it the server would outlive its master.
    kernel.prctl(_PR_SET_PDEATHSIG, death_signal.value, 0, 0, 0)
    if 0 in (*os.getresuid(), *os.getresgid()):
        raise SettingsError("server.user: the rights of root could not be dropped")
