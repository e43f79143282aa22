"""Which commit a content directory is: git's HEAD, `+` and a hash where its files differ.

Git is asked for names only (`rev-parse`, `ls-tree`); the files' blob names are worked out here, so
nothing of the directory is ever run: no hook, no filter, no fsmonitor, no remote helper.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from engine.lang.content_files import FOLDERS, ContentFile

_TIMEOUT: Final = 5
_OFF: Final = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.sshCommand=false",
    "protocol.allow=never",
    "credential.helper=",
)
_ENVIRONMENT: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}


def revision(root: Path, files: Iterable[ContentFile]) -> str:
    """`HEAD`, `HEAD+HASH` where the files are not those of HEAD, `HASH` alone without git."""
    contents = {file.name: file.data for file in files}
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if head is None:
        return content_hash(contents)
    commit = head.strip()
    listed = _git(root, "ls-tree", "-r", "-z", commit, "--", *(f"{name}/" for name in FOLDERS))
    if listed is None:
        return content_hash(contents)
    if _blobs(listed, contents) == {name: _blob(data, commit) for name, data in contents.items()}:
        return commit
    return f"{commit}+{content_hash(contents)}"


def content_hash(contents: Mapping[str, bytes]) -> str:
    """Twelve digits that change when any file does."""
    digest = hashlib.sha256()
    for name in sorted(contents):
        data = contents[name]
        digest.update(f"{len(name.encode())}:{name}{len(data)}:".encode() + data)
    return digest.hexdigest()[:12]


def _blobs(listed: str, contents: Mapping[str, bytes]) -> dict[str, str]:
    """Blob names by path, of the files that were read or that the directory has lost."""
    found: dict[str, str] = {}
    for line in listed.split("\0"):
        described, _, name = line.partition("\t")
        folder = name.rpartition("/")[0]
        read = folder in {"policies", "playbooks", "configs"} and name.endswith(".yaml")
        own = folder == "schema/facts" and name.endswith(".schema.json")
        if name in contents or read or own:
            found[name] = described.split(" ")[-1]
    return found


def _blob(data: bytes, commit: str) -> str:
    """Git's name of a file with this content, in the hash that the repository uses."""
    kind = "sha256" if len(commit) == 64 else "sha1"
    return hashlib.new(kind, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _git(root: Path, *arguments: str) -> str | None:
    settings = [piece for setting in _OFF for piece in ("-c", setting)]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent"}
    try:
        done = subprocess.run(
            ["git", "--no-pager", *settings, "-C", str(root), *arguments],
            env={**environment, **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    try:
        return done.stdout.decode("utf-8")
    except UnicodeDecodeError:
        return None
