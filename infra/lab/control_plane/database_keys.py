"""The KMS key that encrypts a database's storage, shown as RDS shows it: by its ARN."""

from moto.rds.models import RDSBackend

from infra.lab.control_plane.database_state import refuse
from infra.lab.control_plane.keys import why_unusable

DEFAULT = "alias/aws/rds"


def key_arn(backend: RDSBackend, key_id: str | None) -> str:
    """Return the ARN of a key given as id, ARN or alias; that of RDS's own key if none is given.

    Raises:
        ServiceException: This region has no such key, or it can't be used.

    """
    name = key_id or DEFAULT
    if why_unusable(backend.region_name, name):
        refuse(
            "KMSKeyNotAccessibleFault",
            f"Specified KMS key [{name}] does not exist, is not enabled"
            " or you do not have permissions to access it.",
        )
    return str(backend.kms.describe_key(name).arn)
