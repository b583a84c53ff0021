"""The role in which drills act, so that they can do what they need and no more."""

from dataclasses import dataclass

from drill.target import Target

# The longest name of a session, https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Role:
    """A role, and as whom it is assumed.

    Attributes:
        arn: Its ARN.
        session: What AWS's own logs call whoever acts in it.
        region: Where it is assumed: AWS STS answers in each region.

    """

    arn: str
    session: str
    region: str

    @classmethod
    def of(cls, target: Target) -> "Role | None":
        """Return the role of a target's drills; None where the target file names none.

        It is assumed in the standby region: the primary is the one that drills break.
        """
        if not target.drills.role_arn:
            return None
        return cls(target.drills.role_arn, f"drill-{target.name}"[:_LONGEST], target.standby.name)
