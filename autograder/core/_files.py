"""Writing files whole or not at all."""

import os
from pathlib import Path


def write_atomically(path: Path, content: str | bytes, private: bool = False) -> None:
    """Write a file whole or not at all, through a draft beside it; a file that holds this content stays as it is.

    Args:
        path: the file, in a folder that exists.
        content: bytes, or a text that is written in UTF-8.
        private: only the file's owner may read it; it is written in any case.
    """
    data = content.encode("utf-8", errors="replace") if isinstance(content, str) else content
    if not private and path.is_file() and path.read_bytes() == data:
        return
    draft = path.with_name(f"{path.name}~" if private else f".{path.name}.draft")  # git ignores a seed's
    if private:
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
    else:
        draft.write_bytes(data)
    os.replace(draft, path)
