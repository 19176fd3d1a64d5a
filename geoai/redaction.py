"""Taking passwords out of what people read: connection strings, addresses, what a database said."""

from __future__ import annotations

import re

KEYWORD = re.compile(
    r"((?:password|passwd|pwd|sslpassword|secret|token|api_?key|(?:secret|access)_?key(?:_id)?|sig|signature"
    r"|credential)\s*=\s*)('(?:[^'\\]|\\.)*'|(?:\\.|\S)+)",
    re.IGNORECASE,
)
USER = re.compile(r"(://[^/:@\s]*:)([^@\s]*(?:@[^@/\s]*)*)(?=@)")


def without_secrets(text: str) -> str:
    """Return *text* with passwords, tokens and keys of connection strings and URLs as ***.

    >>> without_secrets("PG:host=db user=map password=secret dbname=city")
    'PG:host=db user=map password=*** dbname=city'
    >>> without_secrets("https://anna:secret@town.example/map.gpkg?token=secret")
    'https://anna:***@town.example/map.gpkg?token=***'
    """
    return USER.sub(r"\1***", KEYWORD.sub(r"\1***", text))


def secrets_in(text: str) -> list[str]:
    """Return what `without_secrets` takes out of *text*.

    >>> secrets_in("PG:host=db password='a b' dbname=city")
    ["'a b'"]
    """
    return [found.group(2) for pattern in (KEYWORD, USER) for found in pattern.finditer(text)]
