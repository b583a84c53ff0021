"""The statements that make a cluster's master user, and give it another password."""

from collections.abc import Sequence

from pg8000.native import identifier, literal

from infra.lab.world import Cluster


def first_statements(cluster: Cluster) -> Sequence[str]:
    """Return what makes a pristine database the cluster's: its master user and its own database."""
    master = identifier(cluster.username)
    statements = [
        f"CREATE ROLE {master} LOGIN CREATEDB CREATEROLE PASSWORD {literal(cluster.password)}",
        f"GRANT pg_monitor TO {master}",
    ]
    if cluster.database not in {"", "postgres"}:
        statements.append(f"CREATE DATABASE {identifier(cluster.database)} OWNER {master}")
    return statements


def new_password(cluster: Cluster) -> Sequence[str]:
    """Return what gives the master user the password of now."""
    return (f"ALTER ROLE {identifier(cluster.username)} PASSWORD {literal(cluster.password)}",)
