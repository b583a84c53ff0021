"""What the function's environment variables say."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.app.connection import Place


@dataclass(frozen=True, slots=True)
class Settings:
    """The application's settings.

    Attributes:
        region: ``AWS_REGION``: where this function runs.
        table: ``TABLE_NAME``.
        db_host: ``DB_HOST``: the cluster's writer endpoint.
        db_port: ``DB_PORT``, 5432 by default.
        db_name: ``DB_NAME``.
        db_secret: ``DB_SECRET_ARN``: a secret in this region, with ``username`` and ``password``.
        db_timeout_s: ``DB_TIMEOUT_S``, 2 by default: connecting to Aurora and each statement.
        db_pause_s: ``DB_PAUSE_S``, 2 by default: Aurora is left alone this long after it failed.
        api_timeout_s: ``API_TIMEOUT_S``, 1 by default: connecting to AWS's API, and each answer.
        kept_warm: This process was started ahead of its first request (provisioned concurrency).

    """

    region: str
    table: str
    db_host: str
    db_port: int
    db_name: str
    db_secret: str
    db_timeout_s: float
    db_pause_s: float
    api_timeout_s: float
    kept_warm: bool


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Return the settings.

    Raises:
        KeyError: A variable without a default is missing; its name is the error's text.

    """
    return Settings(
        region=environment["AWS_REGION"],
        table=environment["TABLE_NAME"],
        db_host=environment["DB_HOST"],
        db_port=int(environment.get("DB_PORT", "5432")),
        db_name=environment["DB_NAME"],
        db_secret=environment["DB_SECRET_ARN"],
        db_timeout_s=float(environment.get("DB_TIMEOUT_S", "2")),
        db_pause_s=float(environment.get("DB_PAUSE_S", "2")),
        api_timeout_s=float(environment.get("API_TIMEOUT_S", "1")),
        kept_warm=environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "provisioned-concurrency",
    )


@dataclass(frozen=True, slots=True)
class RotationSettings:
    """The rotation function's settings.

    Attributes:
        admin_secret: ``ADMIN_SECRET_ARN``: the master user's secret; itself rotated, if that is asked.
        place: ``DB_HOST``, ``DB_PORT`` (5432 by default), ``DB_NAME``, ``DB_TIMEOUT_S`` (5 by default).
        api_timeout_s: ``API_TIMEOUT_S``, 5 by default: connecting to AWS's API, and each answer.

    """

    admin_secret: str
    place: Place
    api_timeout_s: float


def rotation_settings_from(environment: Mapping[str, str]) -> RotationSettings:
    """Return the rotation function's settings.

    Raises:
        KeyError: A variable without a default is missing; its name is the error's text.

    """
    place = Place(
        host=environment["DB_HOST"],
        port=int(environment.get("DB_PORT", "5432")),
        database=environment["DB_NAME"],
        timeout_s=float(environment.get("DB_TIMEOUT_S", "5")),
    )
    return RotationSettings(
        admin_secret=environment["ADMIN_SECRET_ARN"],
        place=place,
        api_timeout_s=float(environment.get("API_TIMEOUT_S", "5")),
    )
