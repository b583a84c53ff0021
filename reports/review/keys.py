"""The key that signs reviews, and the ring of public keys that checks them.

They lie in a folder of their own, outside the folder of runs: who can change a run must not be able
to sign it. The folder holds::

    signing.pem       the private key (Ed25519, PKCS 8), readable by its owner alone
    <id>.pub.pem      the public key of it, and of every key before it
    signed.jsonl      one line a sign-off: what was signed, so that a sign-off that was taken away shows

A key's id is the beginning of the SHA-256 of its public half. Rotation makes a new private key and
keeps the old public one, so what was signed stays provable; the old private key is gone for good.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from drill.errors import DrillError, UsageError

PRIVATE = "signing.pem"
PUBLIC = ".pub.pem"
SIGNED = "signed.jsonl"
VARIABLE = "DRILL_REVIEW_KEYS"
_ID_LETTERS = 16


@dataclass(frozen=True, slots=True)
class Signature:
    """What signs a text: which key, and its signature in hexadecimal."""

    key: str
    hex: str


class Ring:
    """The public keys of a folder: they check, and cannot sign."""

    def __init__(self, folder: Path, keys: Mapping[str, Ed25519PublicKey]) -> None:
        """Take over keys by their ids; use :func:`ring`."""
        self.folder = folder
        self._keys = keys

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of the keys that are known."""
        return tuple(sorted(self._keys))

    def problem(self, text: bytes, signature: Signature) -> str:
        """Return why a signature proves nothing; empty if it holds."""
        key = self._keys.get(signature.key)
        if key is None:
            return f"it is signed with key {signature.key}, which is not among the keys in {self.folder}"
        try:
            key.verify(bytes.fromhex(signature.hex), text)
        except (InvalidSignature, ValueError):
            return f"its signature is not that of key {signature.key}"
        return ""

    def signed(self) -> tuple[Mapping[str, str], ...]:
        """Return what was ever signed off with these keys, by ``run_id``, ``hash`` and ``at``.

        Raises:
            DrillError: The list is damaged.

        """
        path = self.folder / SIGNED
        if not path.exists():
            return ()
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            return tuple(
                {str(name): str(value) for name, value in json.loads(line).items()} for line in lines
            )
        except (OSError, ValueError, AttributeError) as problem:
            msg = f"list of sign-offs {path} is damaged: {problem}; bring it back from a backup"
            raise DrillError(msg) from problem


class Signer(Ring):
    """A ring with the private key of its newest key."""

    def __init__(
        self, folder: Path, keys: Mapping[str, Ed25519PublicKey], private: Ed25519PrivateKey
    ) -> None:
        """Take over a private key; use :func:`signer`."""
        super().__init__(folder, keys)
        self._private = private
        self.key = _id(private.public_key())

    def sign(self, text: bytes) -> Signature:
        """Sign a text."""
        return Signature(self.key, self._private.sign(text).hex())

    def remember(self, run_id: str, signed_hash: str, at: str) -> None:
        """Note a sign-off beside the key."""
        line = json.dumps({"run_id": run_id, "hash": signed_hash, "at": at}) + "\n"
        _append(self.folder / SIGNED, line.encode())


def default_folder() -> Path:
    """Return where the keys are unless somebody says otherwise."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    settings = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(settings) / "drill" / "review-keys"


def ring(folder: Path) -> Ring:
    """Return the public keys of a folder; none if there is no such folder.

    Raises:
        UsageError: A key can't be read.

    """
    return Ring(folder, _public_keys(folder))


def signer(folder: Path, root: Path) -> Signer:
    """Return the keys of a folder with the private one; make a key where there is none.

    Args:
        folder: Of the keys.
        root: The folder of runs, which must not hold them.

    Raises:
        UsageError: The folder is inside that of the runs, others can read it, or a key can't be read.

    """
    if folder.resolve().is_relative_to(root.resolve()):
        msg = f"keys in {folder} lie among the runs that they sign; choose another folder with: --keys DIR"
        raise UsageError(msg)
    path = folder / PRIVATE
    if not path.exists():
        return rotate(folder)
    if path.stat().st_mode & 0o077:
        msg = f"key {path} can be read by others; keep it to yourself with: chmod 600 {path}"
        raise UsageError(msg)
    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as problem:
        msg = f"key {path} can't be read: {problem}; bring it back, or make another with: drill review rotate"
        raise UsageError(msg) from problem
    if not isinstance(private, Ed25519PrivateKey):
        msg = f"key {path} is no Ed25519 key; make one with: drill review rotate"
        raise UsageError(msg)
    return Signer(folder, _public_keys(folder), private)


def rotate(folder: Path) -> Signer:
    """Make a new key, which signs from now on; what the old one signed stays provable.

    Raises:
        UsageError: The folder can't be written to.

    """
    private = Ed25519PrivateKey.generate()
    public = private.public_key()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        _write(folder / f"{_id(public)}{PUBLIC}", written, 0o644)
        secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write(folder / PRIVATE, secret, 0o600)
    except OSError as problem:
        msg = f"keys can't be kept in {folder}: {problem.strerror}; choose another folder with: --keys DIR"
        raise UsageError(msg) from problem
    return Signer(folder, _public_keys(folder), private)


def _public_keys(folder: Path) -> Mapping[str, Ed25519PublicKey]:
    found: dict[str, Ed25519PublicKey] = {}
    for path in sorted(folder.glob(f"*{PUBLIC}")):
        try:
            key = load_pem_public_key(path.read_bytes())
        except (OSError, ValueError) as problem:
            msg = f"key {path} can't be read: {problem}; bring it back, or move it away"
            raise UsageError(msg) from problem
        if isinstance(key, Ed25519PublicKey):
            found[_id(key)] = key
    return found


def _id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:_ID_LETTERS]


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all, with its mode from the first byte on."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    partial.replace(path)


def _append(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
