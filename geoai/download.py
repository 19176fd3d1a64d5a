"""Fetching a flight's imagery: each sheet appears whole and as its item says, and is fetched once.

A transfer that breaks off goes on where it stopped. Beside a fetched file lies a note of the item that it is.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

from requests import RequestException, Session

from geoai.errors import StacError
from geoai.files import write_json
from geoai.stacapi import RemoteFlight, RemoteSheet
from geoai.stacio import TIMEOUT_S, Secrets, connect, shown_address, shown_error

log = logging.getLogger(__name__)

RESUMES = 5
"""How often a file whose transfer breaks off is gone on with before the next look does."""
BLOCK = 1 << 16
"""Bytes written at once: so many, at most, are lost where a transfer breaks off."""
HASHES = {"1114": "sha1", "1220": "sha256", "1340": "sha512", "1620": "sha3_256", "d50110": "md5"}
"""Multihash prefixes (code and length, hex) and the algorithms they stand for."""


def fetch(flight: RemoteFlight, folder: Path, secrets: Secrets) -> None:
    """Bring *folder* to what the flight's items say: fetch what is missing or replaced, in part if need be.

    Sheets whose item was withdrawn are moved to `.withdrawn/` beside the folder once all others are there.
    Raises StacError where a sheet could not be fetched whole (the others are); call it again to go on.
    """
    session = connect(flight.api, secrets).session
    failures = []
    for sheet in flight.sheets:
        if _is_there(sheet, folder):
            continue
        try:
            _download(session, sheet, folder / sheet.file)
        except StacError as error:
            failures.append(str(error))
            continue
        log.info("%s: %s fetched", folder.name, sheet.file)
    if failures:
        raise StacError(
            f"{flight.collection}: expected {len(flight.sheets)} sheets, "
            f"found {len(failures)} that could not be fetched: {'; '.join(failures[:3])}"
        )
    _set_aside(folder, keep={sheet.file for sheet in flight.sheets})


def _is_there(sheet: RemoteSheet, folder: Path) -> bool:
    try:
        note = json.loads(_note(folder / sheet.file).read_text(encoding="utf-8"))
        return bool(note["version"] == sheet.version and note["size"] == (folder / sheet.file).stat().st_size)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _note(path: Path) -> Path:
    """Where it is written which item a fetched file is: the last thing that is written of it."""
    return path.with_name(f"{path.name}.json")


def _download(session: Session, sheet: RemoteSheet, target: Path) -> None:
    """Fetch one sheet whole, going on with what is there of it; it appears under its name when it is right.

    Raises StacError where the server does not give it or what it gives is not what the item says.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    for again in range(RESUMES, -1, -1):
        before = part.stat().st_size if part.exists() else 0
        try:
            _transfer(session, sheet, part)
            break
        except (RequestException, ValueError) as error:  # urllib3's of an address is a ValueError
            grown = part.exists() and part.stat().st_size > before
            if not again or not grown:
                raise StacError(
                    f"{sheet.item}: expected the whole file, found {shown_error(error)}"
                ) from error
    try:
        _verify(sheet, part)
    except StacError:
        part.unlink(missing_ok=True)
        raise
    _note(target).unlink(missing_ok=True)
    part.chmod(0o644)
    part.replace(target)
    _state_of(part).unlink(missing_ok=True)
    content = {
        "item": sheet.item,
        "version": sheet.version,
        "href": shown_address(sheet.href),
        "size": target.stat().st_size,
    }
    write_json(_note(target), content)


def _state_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _transfer(session: Session, sheet: RemoteSheet, part: Path) -> None:
    """Add to *part* what it lacks, or begin anew where the file on the server is no longer the same."""
    etag, headers = _resumable(sheet, part), {"Accept-Encoding": "identity"}
    start = part.stat().st_size if etag else 0
    if etag and start:
        headers |= {"Range": f"bytes={start}-", "If-Range": etag}
    with session.get(sheet.href, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
        if answer.status_code == 416:  # nothing is missing, or it is another file: the check tells
            return
        if answer.status_code not in (200, 206):
            raise StacError(f"{sheet.item}: expected the file, found HTTP {answer.status_code}")
        if answer.status_code == 206 and not answer.headers.get("Content-Range", "").startswith(
            f"bytes {start}-"
        ):
            raise StacError(f"{sheet.item}: expected the rest of the file, found another part")
        if answer.status_code == 200 or not start:
            part.unlink(missing_ok=True)
            _state_of(part).unlink(missing_ok=True)
            found = answer.headers.get("ETag", "")
            if found and not found.startswith("W/"):
                _state_of(part).write_text(json.dumps([sheet.version, found]), encoding="utf-8")
        with part.open("ab") as file:
            for block in answer.iter_content(BLOCK):
                file.write(block)


def _resumable(sheet: RemoteSheet, part: Path) -> str | None:
    """Return the ETag of the file that *part* is the beginning of; None where that is not this sheet's."""
    try:
        version, etag = json.loads(_state_of(part).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return None
    return str(etag) if version == sheet.version and part.exists() else None


def _verify(sheet: RemoteSheet, path: Path) -> None:
    size = path.stat().st_size if path.exists() else 0
    if size == 0 or (sheet.size is not None and size != sheet.size):
        raise StacError(f"{sheet.item}: expected {sheet.size or 'some'} bytes, found {size}")
    if sheet.checksum is None:
        return
    prefix = next((known for known in HASHES if sheet.checksum.startswith(known)), None)
    if prefix is None:
        log.warning("%s: checksum %s… is of an unknown kind and not checked", sheet.item, sheet.checksum[:8])
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, HASHES[prefix]).hexdigest()
    if digest != sheet.checksum.removeprefix(prefix):
        raise StacError(f"{sheet.item}: expected checksum {sheet.checksum}, found {prefix}{digest}")


def _set_aside(folder: Path, *, keep: set[str]) -> None:
    """Move fetched files whose item was withdrawn to `.withdrawn/<flight>/` beside the folder."""
    for note in sorted(folder.glob("*.json")):
        name = note.name.removesuffix(".json")
        if name in keep:
            continue
        aside = folder.parent / ".withdrawn" / folder.name
        aside.mkdir(parents=True, exist_ok=True)
        for path in (folder / name, note):
            if path.exists():
                path.replace(aside / path.name)
        log.warning("%s: item of %s was withdrawn, the file is now in %s", folder.name, name, aside)
