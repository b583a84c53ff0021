"""The application's package for Lambda: one zip archive that is the same for the same sources."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files

from drill.errors import DrillError

HANDLER = "infra.app.handler.handle"
# The database driver with all that it needs, in pure Python; boto3 is in Lambda's runtime.
DISTRIBUTIONS = ("pg8000", "scramp", "asn1crypto", "python-dateutil", "six")
_CODE = (".py", ".pyi", ".tar.gz")
# The oldest date that a zip archive can hold: no clock in it.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Package:
    """A function's code.

    Attributes:
        archive: The zip archive.
        handler: What Lambda calls, as module and function.

    """

    archive: bytes
    handler: str = HANDLER

    @property
    def key(self) -> str:
        """Where it is kept in a bucket; other code has another key."""
        return f"functions/{hashlib.sha256(self.archive).hexdigest()}.zip"

    @property
    def sha256(self) -> str:
        """Its SHA-256 in base64, as Lambda shows it."""
        return base64.b64encode(hashlib.sha256(self.archive).digest()).decode()


def application() -> Package:
    """Return the application with the libraries that it needs.

    Raises:
        DrillError: A library is not installed.

    """
    return Package(archive_of(dict(sorted({**_sources(), **_libraries()}.items()))))


def archive_of(members: dict[str, bytes]) -> bytes:
    """Return a zip archive of these files, in their order, with nothing that differs by time or place."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()


def _sources() -> dict[str, bytes]:
    found = {"infra/__init__.py": b""}
    for source in files("infra.app").iterdir():
        if source.name.endswith(".py"):
            found[f"infra/app/{source.name}"] = source.read_bytes()
    return found


def _libraries() -> dict[str, bytes]:
    return {name: content for library in DISTRIBUTIONS for name, content in _library(library)}


def _library(name: str) -> Iterator[tuple[str, bytes]]:
    try:
        found = distribution(name)
    except PackageNotFoundError as problem:
        msg = f"the function's library {name} is not installed; install it with: pip install 'drill[lab]'"
        raise DrillError(msg) from problem
    for path in found.files or ():
        # pg8000 asks importlib.metadata for its own version: its metadata goes along.
        if str(path).endswith(_CODE) or str(path).endswith(".dist-info/METADATA"):
            yield str(path), found.locate_file(path).read_bytes()  # type: ignore[attr-defined]
