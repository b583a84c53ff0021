"""What each of the system's stacks takes, from the system file and from the stacks before it.

What a template takes and gives is its contract; this file is the only other place that knows it.
"""

from collections.abc import Callable, Mapping

from infra.deploy_system import System, in_region

# Third octets of the subnets, one in each of three zones.
_EDGE = (10, 11, 12)
_APP = (20, 21, 22)

Parameters = dict[str, str]


def _nothing(_system: System, _region: str) -> Parameters:
    return {}


def _network(system: System, region: str) -> Parameters:
    config = system.config
    return {
        "VpcCidr": config.cidr(region),
        "EdgeCidrs": ",".join(config.subnet_cidr(region, octet) for octet in _EDGE),
        "AppCidrs": ",".join(config.subnet_cidr(region, octet) for octet in _APP),
        "PeerCidr": config.cidr(config.peer(region)),
        "HttpPort": str(config.port),
        "DatabasePort": str(config.database_port),
        "NatMode": config.nat,
    }


def _alerts(system: System, region: str) -> Parameters:
    return {
        "KeyArn": _key(system, region),
        "AlertEmail": system.config.alert_email or "",
        "AlertWebhook": system.config.alert_webhook or "",
    }


def _vault(system: System, region: str) -> Parameters:
    return {"KeyArn": _key(system, region)}


def _peering(system: System, region: str) -> Parameters:
    peer = system.config.peer(region)
    return {
        "VpcId": system.given("network", region)["VpcId"],
        "PeerVpcId": system.given("network", peer)["VpcId"],
        "PeerRegion": peer,
        "PeerCidr": system.config.cidr(peer),
        "PeeringId": system.config.peering_id or "",
        "AppRouteTableIds": system.given("network", region)["AppRouteTableIds"],
    }


def _routes_back(system: System, region: str) -> Parameters:
    peer = system.config.peer(region)
    return {
        "PeeringId": system.given("peering", peer)["PeeringId"],
        "PeerCidr": system.config.cidr(peer),
        "AppRouteTableIds": system.given("network", region)["AppRouteTableIds"],
    }


def _table(system: System, region: str) -> Parameters:
    config, peer = system.config, system.config.peer(region)
    return {
        "PeerRegion": peer,
        "KeyArn": _key(system, region),
        "PeerKeyArn": _key(system, peer),
        "BillingMode": config.table_billing,
        "MinCapacity": str(config.table_min_capacity),
        "MaxCapacity": str(config.table_max_capacity),
        "ProtectData": _text(config.protect_data),
    }


def _data(system: System, region: str) -> Parameters:
    config, peer = system.config, system.config.peer(region)
    network = system.given("network", region)
    parameters = {
        "SubnetIds": network["AppSubnetIds"],
        "SecurityGroupId": network["DatabaseSecurityGroupId"],
        "KeyArn": _key(system, region),
        "PeerRegion": peer,
        "PeerKeyArn": _key(system, peer),
        "Role": "primary" if region == system.primary else "standby",
        "Replication": config.replication,
        "DatabasePort": str(config.database_port),
        "EngineVersion": config.engine_version,
        "MinCapacity": f"{config.acu_min:g}",
        "MaxCapacity": f"{config.acu_max:g}",
        "ProtectData": _text(config.protect_data),
    }
    if region == system.primary:
        return {**parameters, "Reader": _text(config.database_reader)}
    there = system.given("data", peer)
    return {
        **parameters,
        "SecretArn": in_region(there["SecretArn"], region),
        "GlobalClusterId": there.get("GlobalClusterId", ""),
    }


def _drills(system: System, region: str) -> Parameters:
    peer = system.config.peer(region)
    parameters = {
        "Role": "primary" if region == system.primary else "standby",
        "KeyArn": _key(system, region),
        "PeerRegion": peer,
        "PeerKeyArn": _key(system, peer),
        "TableName": system.given("table", system.primary)["TableName"],
    }
    if region != system.primary:
        return parameters
    network, there = system.given("network", region), system.given("network", peer)
    # arn:aws:kms:us-east-1:123456789012:key/... tells partition and account.
    partition, account = (_key(system, region).split(":")[place] for place in (1, 4))
    data, group = system.given("data", peer), f"arn:{partition}:rds:{peer}:{account}"
    function = system.given("app", peer)["FunctionName"]

    def arns(where: str, kind: str, *lists: str) -> str:
        ids = ",".join(lists).split(",")
        return ",".join(f"arn:{partition}:ec2:{where}:{account}:{kind}/{one}" for one in ids)

    return {
        **parameters,
        "SubnetGroupArn": f"{group}:subgrp:{data['SubnetGroup']}",
        "ParameterGroupArn": f"{group}:cluster-pg:{data['ParameterGroup']}",
        "SecretArn": data["SecretArn"],
        "FunctionArn": f"arn:{partition}:lambda:{peer}:{account}:function:{function}",
        "ClusterId": system.given("data", region)["ClusterId"],
        "PeerClusterId": system.given("data", peer).get("ClusterId", ""),
        "GlobalClusterId": system.given("data", region).get("GlobalClusterId", ""),
        "HealthCheckId": system.given("dns", region)["PrimaryHealthCheckId"],
        "VpcId": network["VpcId"],
        "SubnetArns": arns(region, "subnet", network["EdgeSubnetIds"], network["AppSubnetIds"]),
        "PeerVpcId": there["VpcId"],
        "PeerSubnetArns": arns(peer, "subnet", there["AppSubnetIds"]),
        "RouteTableArns": arns(region, "route-table", network["AppRouteTableIds"]),
        "PeerRouteTableArns": arns(peer, "route-table", there["AppRouteTableIds"]),
        "AlertQueueArns": ",".join(system.given("alerts", one)["DrillQueueArn"] for one in (region, peer)),
    }


def _backup(system: System, region: str) -> Parameters:
    config = system.config
    return {
        "VaultName": system.given("backup-vault", region)["VaultName"],
        "PeerVaultArn": system.given("backup-vault", config.peer(region))["VaultArn"],
        "Schedule": config.backup_schedule,
        "RetentionDays": str(config.retention_days),
        "ClusterArn": system.given("data", region)["ClusterArn"],
    }


def _rotation(system: System, region: str) -> Parameters:
    network, data = system.given("network", region), system.given("data", region)
    return {
        "SubnetIds": network["AppSubnetIds"],
        "SecurityGroupId": network["AppSecurityGroupId"],
        **_code(system, region),
        "KeyArn": _key(system, region),
        "PeerRegion": system.config.peer(region),
        "PeerKeyArn": _key(system, system.config.peer(region)),
        "SecretArn": data["SecretArn"],
        "AdminSecretArn": data["AdminSecretArn"],
        "DatabaseHost": data["Endpoint"],
        "DatabasePort": data["Port"],
        "RotationDays": str(system.config.rotation_days),
        "RotateAdmin": _text(system.config.replication == "global"),
    }


def _app(system: System, region: str) -> Parameters:
    config, network = system.config, system.given("network", region)
    table, data = system.given("table", system.primary), system.given("data", system.primary)
    system.given("rotation", system.primary)
    return {
        "EdgeSubnetIds": network["EdgeSubnetIds"],
        "AppSubnetIds": network["AppSubnetIds"],
        "EdgeSecurityGroupId": network["EdgeSecurityGroupId"],
        "AppSecurityGroupId": network["AppSecurityGroupId"],
        "HttpPort": str(config.port),
        "CertificateArn": config.certificate_arn(region) or "",
        "KeyArn": _key(system, region),
        **_code(system, region),
        "Handler": system.package.handler,
        "ProvisionedConcurrency": str(config.provisioned_concurrency),
        "TableName": table["TableName"],
        "TableArn": in_region(table["TableArn"], region),
        "DatabaseHost": data["Endpoint"],
        "DatabasePort": data["Port"],
        "DatabaseSecretArn": in_region(data["SecretArn"], region),
        "DatabaseTimeoutS": f"{config.database_timeout_s:g}",
    }


def _observability(system: System, region: str) -> Parameters:
    config, peer = system.config, system.config.peer(region)
    network, app = system.given("network", region), system.given("app", region)
    there = system.given("data", peer)
    return {
        "PeerRegion": peer,
        "TopicArn": system.given("alerts", region)["TopicArn"],
        "KeyArn": _key(system, region),
        "TableName": system.given("table", system.primary)["TableName"],
        "FunctionName": app["FunctionName"],
        "LoadBalancerFullName": app["LoadBalancerFullName"],
        "TargetGroupFullName": app["TargetGroupFullName"],
        "ClusterId": system.given("data", region).get("ClusterId", ""),
        "Replication": config.replication,
        "LagMs": str(config.lag_ms),
        "SubnetIds": network["AppSubnetIds"],
        "SecurityGroupId": network["AppSecurityGroupId"],
        **_code(system, region),
        "PeerHost": there.get("ReaderEndpoint", ""),
        "PeerPort": there.get("Port") or str(config.database_port),
    }


def _dns(system: System, _region: str) -> Parameters:
    parameters = {
        "Domain": system.config.domain,
        "Scheme": system.config.scheme,
        "HttpPort": str(system.config.port),
    }
    for place, region in (("Primary", system.primary), ("Standby", system.standby)):
        app = system.given("app", region)
        parameters |= {
            f"{place}Region": region,
            f"{place}LoadBalancer": app["LoadBalancerName"],
            f"{place}LoadBalancerZoneId": app["LoadBalancerZoneId"],
            f"{place}ErrorAlarm": system.given("observability", region)["ErrorAlarm"],
        }
    return parameters


def _dashboard(system: System, _region: str) -> Parameters:
    parameters = {
        "StandbyRegion": system.standby,
        "TableName": system.given("table", system.primary)["TableName"],
    }
    for place, region in (("Primary", system.primary), ("Standby", system.standby)):
        app, watch = system.given("app", region), system.given("observability", region)
        parameters |= {
            f"{place}LoadBalancerFullName": app["LoadBalancerFullName"],
            f"{place}TargetGroupFullName": app["TargetGroupFullName"],
            f"{place}FunctionName": app["FunctionName"],
            f"{place}ClusterId": system.given("data", region).get("ClusterId", ""),
            f"{place}HealthCheckId": system.given("dns", system.primary)[f"{place}HealthCheckId"],
            f"{place}ErrorAlarm": watch["ErrorAlarm"],
            f"{place}ThrottleAlarm": watch["ThrottleAlarm"],
            f"{place}LagAlarm": watch["LagAlarm"],
        }
    return parameters


def _governance(system: System, region: str) -> Parameters:
    return {
        "BudgetUsd": _amount(system.config.budget_usd),
        "AlertEmail": system.config.alert_email or "",
        "TopicArn": system.given("alerts", region)["TopicArn"],
    }


PARAMETERS: Mapping[str, Callable[[System, str], Parameters]] = {
    "keys": _nothing,
    "network": _network,
    "alerts": _alerts,
    "backup-vault": _vault,
    "peering": _peering,
    "peering-routes": _routes_back,
    "table": _table,
    "data": _data,
    "drills": _drills,
    "backup": _backup,
    "rotation": _rotation,
    "app": _app,
    "observability": _observability,
    "dns": _dns,
    "dashboard": _dashboard,
    "governance": _governance,
}


def _key(system: System, region: str) -> str:
    return system.given("keys", region)["KeyArn"]


def _code(system: System, region: str) -> Parameters:
    package = system.package
    return {"CodeBucket": system.buckets[region], "CodeKey": package.key, "CodeSha256": package.sha256}


def _amount(usd: float) -> str:
    """Return an amount of money, to the cent."""
    return f"{usd:.2f}".removesuffix(".00")


def _text(truth: bool) -> str:
    return "true" if truth else "false"
