"""A peering that a drill deleted and made anew is taken over by the stacks, as its report says."""

from drill.faults import routes
from drill.faults.contract import Intent
from drill.faults.peering_deletion import PeeringDeletion
from infra.deploy import deploy, preview
from tests.infra.deploylab import CONFIG, ONE, quick_control_plane


def test_the_finding_of_a_deleted_peering_is_mended_by_a_deployment() -> None:
    """The id goes into the system file; then stacks, routes and target name the peering that is there."""
    with quick_control_plane() as lab:
        before = deploy(lab.aws.client, CONFIG, ONE)
        primary, standby = before.primary, before.standby
        fault = PeeringDeletion(
            before.peering_id,
            primary.name,
            primary.vpc_id,
            primary.app_route_table_ids,
            standby.name,
            standby.vpc_id,
            standby.app_route_table_ids,
            5,
            0.01,
        )
        captured = fault.capture(lab.aws)
        fault.inject(lab.aws, captured, Intent("run-1", "delete-peering"))
        fault.undo(lab.aws, captured, "run-1")
        (finding,) = fault.remains(lab.aws, captured, "run-1")
        made = finding.mend.partition("peering_id: ")[2].split()[0]
        mended = CONFIG.model_copy(update={"peering_id": made})

        after = deploy(lab.aws.client, mended, ONE)

        assert made != before.peering_id
        assert after == before.model_copy(update={"peering_id": made})
        for region in (primary, standby):
            led = routes.read(lab.aws, region.name, region.vpc_id)
            over = {route.table_id for route, target in led.items() if target == made}
            assert over == set(region.app_route_table_ids)
            assert before.peering_id not in led.values()
        assert all(one.action == "none" for one in preview(lab.aws.client, mended, ONE).prepared)
