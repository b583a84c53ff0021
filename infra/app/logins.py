"""The application's logins: database roles that take turns and work on the same tables.

Tables belong to whoever makes them, so both logins act as one role from the moment that they
log in: the owner, which nobody can log in as.
https://www.postgresql.org/docs/current/role-membership.html
"""

import base64
import hashlib
import hmac
import os

import pg8000.native
from pg8000.native import identifier, literal

from infra.app.secret import Credentials

_CLONE = "_clone"
_ITERATIONS = 4096
_SALT_BYTES = 16


def other_user(username: str) -> str:
    """Return whose turn it is after a user's: the clone's, or the one's that it is a clone of."""
    return username.removesuffix(_CLONE) if username.endswith(_CLONE) else username + _CLONE


def owner_of(username: str) -> str:
    """Return the role that owns what a user and its clone make."""
    return f"{username.removesuffix(_CLONE)}_owner"


def make_login(admin: pg8000.native.Connection, credentials: Credentials) -> None:
    """Make a login with its owner role, or give it this password if it is there.

    Everything may be repeated; what is there already stays. ``admin`` is a connection of a
    user that may make roles and owns the database.
    """
    owner, user = owner_of(credentials.username), credentials.username
    if not exists(admin, owner):
        admin.run(f"CREATE ROLE {identifier(owner)} NOLOGIN")
    admin.run(f"GRANT USAGE, CREATE ON SCHEMA public TO {identifier(owner)}")
    if not exists(admin, user):
        admin.run(f"CREATE ROLE {identifier(user)} NOLOGIN")
    admin.run(f"GRANT {identifier(owner)} TO {identifier(user)}")
    admin.run(f"ALTER ROLE {identifier(user)} SET role = {literal(owner)}")
    set_password(admin, credentials)
    # Last: nobody logs in before it acts as the owner.
    admin.run(f"ALTER ROLE {identifier(user)} LOGIN")


def set_password(connection: pg8000.native.Connection, credentials: Credentials) -> None:
    """Give an existing role this password; a role may do so for itself."""
    hashed = literal(verifier(credentials.password))
    connection.run(f"ALTER ROLE {identifier(credentials.username)} PASSWORD {hashed}")


def exists(admin: pg8000.native.Connection, role: str) -> bool:
    """Say whether there is a role of a name."""
    return bool(admin.run("SELECT 1 FROM pg_roles WHERE rolname = :role", role=role))


def verifier(password: str) -> str:
    """Return what PostgreSQL keeps of a password, so that the password itself is in no statement.

    Statements may be logged by the server. RFC 5803 has the form; ``password`` is ASCII.
    """
    salt = os.urandom(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    return f"SCRAM-SHA-256${_ITERATIONS}:{_text(salt)}${_text(stored_key)}:{_text(server_key)}"


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
