"""The lab's AWS API: moto in process, mended where it differs from AWS.

This package and ``infra.lab.stacks`` are the only places that touch moto's internals; the
version is pinned exactly and ``tests/infra/lab/test_control_plane*.py`` fail when it moves.
"""

from infra.lab.control_plane.server import ControlPlane

__all__ = ["ControlPlane"]
