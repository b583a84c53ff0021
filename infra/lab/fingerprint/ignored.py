"""What the fingerprint leaves out, one reason each."""

from collections.abc import Mapping

_NEW_TIE = "an association gets a new id whenever it is replaced; who is tied to what counts"
_ROWS = "rows written by the application, not configuration"
_DECREASES = "DynamoDB counts and dates capacity changes; putting the capacity back is one more"
_POINT_IN_TIME = "moves on by itself with every backup"
_EDITS = "changes with every update, also with the one that puts back"
_STATE = "what was last seen of the metric, not what is watched"
_TRAFFIC = "messages come and go by themselves"
_USE = "tells of use, not of configuration"
_ROTATED = "moves on with every rotation; a new value shows by the id of its version"

IGNORED: Mapping[str, str] = {
    "health_checks.HealthCheckVersion": "counts updates, also the one that puts back",
    "network_acls.NetworkAclAssociationId": _NEW_TIE,
    "route_tables.RouteTableAssociationId": _NEW_TIE,
    "vpcs.AssociationId": _NEW_TIE,
    "peerings.VpcPeeringConnectionId": "a recreated peering has another id; its two VPCs name it",
    "peerings.ExpirationTime": "only a peering that waits to be accepted has one, and it moves",
    "subnets.AvailableIpAddressCount": "load balancers and functions take and free addresses by themselves",
    "record_sets.ResourceRecordSetCount": "the record sets themselves are compared",
    "target_groups.TargetHealth": "what the load balancer sees of a target, not configuration",
    "functions.LastModified": _EDITS,
    "functions.RevisionId": _EDITS,
    "tables.ItemCount": _ROWS,
    "tables.TableSizeBytes": _ROWS,
    "tables.IndexSizeBytes": _ROWS,
    "tables.NumberOfDecreasesToday": _DECREASES,
    "tables.LastDecreaseDateTime": _DECREASES,
    "tables.LastIncreaseDateTime": _DECREASES,
    "tables.EarliestRestorableDateTime": _POINT_IN_TIME,
    "tables.LatestRestorableDateTime": _POINT_IN_TIME,
    "tables.ProvisionedThroughputOverride": "repeats a replica's own capacity, compared in its region",
    "clusters.EarliestRestorableTime": _POINT_IN_TIME,
    "clusters.LatestRestorableTime": _POINT_IN_TIME,
    "instances.LatestRestorableTime": _POINT_IN_TIME,
    "templates.lastUpdateTime": _EDITS,
    "schedules.LastModificationDate": _EDITS,
    "schedule_groups.LastModificationDate": _EDITS,
    "secrets.LastAccessedDate": "reading a secret changes it",
    "secrets.LastChangedDate": _EDITS,
    "secrets.LastRotatedDate": _ROTATED,
    "secrets.NextRotationDate": _ROTATED,
    "alarms.StateValue": _STATE,
    "alarms.StateReason": _STATE,
    "alarms.StateReasonData": _STATE,
    "alarms.StateUpdatedTimestamp": _STATE,
    "alarms.StateTransitionedTimestamp": _STATE,
    "alarms.EvaluationState": _STATE,
    "alarms.AlarmConfigurationUpdatedTimestamp": _EDITS,
    "dashboards.LastModified": _EDITS,
    "queues.ApproximateNumberOfMessages": _TRAFFIC,
    "queues.ApproximateNumberOfMessagesDelayed": _TRAFFIC,
    "queues.ApproximateNumberOfMessagesNotVisible": _TRAFFIC,
    "queues.LastModifiedTimestamp": _EDITS,
    "log_groups.storedBytes": "logs are written all the time",
    "roles.RoleLastUsed": _USE,
    "policies.UpdateDate": _EDITS,
    "policies.DefaultVersionId": "numbers the edits; the document in force is compared",
    "policies.VersionId": "numbers the edits; the document in force is compared",
    "policies.CreateDate": _EDITS,
    "keys.NextRotationDate": "moves on with every rotation of the key",
    "vaults.NumberOfRecoveryPoints": "recovery points are made and dropped by the plan itself",
    "plans.LastExecutionDate": "moves on by itself with every backup",
    "plans.VersionId": "numbers the edits; the plan itself is compared",
    "budgets.CalculatedSpend": "what was spent, not what is allowed",
    "budgets.LastUpdatedTime": _EDITS,
    "budgets.HealthStatus": _STATE,
    "budgets.NotificationState": _STATE,
    "stacks.LastUpdatedTime": _EDITS,
    "stacks.StackStatusReason": "tells of the last change, not of what is there",
    "stacks.ChangeSetId": _EDITS,
    "stacks.LastUpdatedTimestamp": _EDITS,
    # Not fields: whole things that are left out.
    "cluster_snapshots[automated]": "taken and dropped by themselves",
    "experiments[finished]": "history that can't be deleted",
    "peerings[gone]": "shown for some hours after they were deleted, and carry nothing",
    "nat_gateways[gone]": "shown for about an hour after they were deleted, and carry nothing",
    "keys[pending deletion]": "a key can't be deleted at once; it opens nothing any more",
    "keys[of AWS]": "made by services at their first use, free, and not to be deleted",
    "roles[linked to services]": "made by services at their first use, and theirs to delete",
    "stacks[status]": "a stack is complete or at work; whether it was created or updated last is history",
    "tables[auto-scaled capacity]": "moves between the bounds of its scalable target by itself",
    "vaults[recovery points]": "made and dropped by the plan itself",
    "buckets[objects]": "packages, each named by its digest",
    "secrets[values]": "never read; the ids of their versions tell a change",
}
