"""A template with every EC2 type of the lab."""

NETWORK = """
Parameters:
  S3Prefixes: {Type: String}
  Note: {Type: String, Default: the first}
  Last: {Type: Number, Default: 443}
  Second: {Type: String, Default: "no"}
Conditions:
  Second: !Equals [!Ref Second, "yes"]
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties:
      CidrBlock: 10.1.0.0/16
      InstanceTenancy: default
      EnableDnsSupport: true
      EnableDnsHostnames: true
      Tags: [{Key: Name, Value: !Ref Note}]
  Edge:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: 10.1.1.0/24
      AvailabilityZone: !Select [0, !GetAZs ""]
      MapPublicIpOnLaunch: !If [Second, false, true]
  App:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: 10.1.2.0/24
      AvailabilityZone: !Select [2, !GetAZs {Ref: "AWS::Region"}]
      MapPublicIpOnLaunch: false
  Gateway: {Type: "AWS::EC2::InternetGateway"}
  Attached:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}
  Address:
    Type: AWS::EC2::EIP
    DependsOn: Attached
    Properties: {Domain: vpc, Tags: [{Key: Name, Value: nat}]}
  Nat:
    Type: AWS::EC2::NatGateway
    Properties:
      SubnetId: !Ref Edge
      AllocationId: !GetAtt Address.AllocationId
      ConnectivityType: public
      Tags: [{Key: Name, Value: nat}]
  EdgeTable: {Type: "AWS::EC2::RouteTable", Properties: {VpcId: !Ref Vpc}}
  AppTable:
    Type: AWS::EC2::RouteTable
    Properties: {VpcId: !Ref Vpc, Tags: [{Key: Name, Value: app}]}
  OtherTable: {Type: "AWS::EC2::RouteTable", Properties: {VpcId: !Ref Vpc}}
  EdgeTied:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref Edge, RouteTableId: !Ref EdgeTable}
  AppTied:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref App, RouteTableId: !If [Second, !Ref OtherTable, !Ref AppTable]}
  OutOfEdge:
    Type: AWS::EC2::Route
    DependsOn: Attached
    Properties: {RouteTableId: !Ref EdgeTable, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Gateway}
  OutOfApp:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: !Ref AppTable, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Of everybody
      VpcId: !Ref Vpc
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 80, ToPort: !Ref Last, CidrIp: 10.1.0.0/16, Description: !Ref Note}
        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 10.1.2.0/24}
      SecurityGroupEgress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, DestinationPrefixListId: !Ref S3Prefixes,
           Description: s3}
      Tags: [{Key: Name, Value: group}]
  In:
    Type: AWS::EC2::SecurityGroupIngress
    Properties:
      GroupId: !Ref Group
      IpProtocol: tcp
      FromPort: 5432
      ToPort: 5432
      SourceSecurityGroupId: !GetAtt Group.GroupId
      Description: !Ref Note
  Out:
    Type: AWS::EC2::SecurityGroupEgress
    Properties:
      GroupId: !Ref Group
      IpProtocol: tcp
      FromPort: 5432
      ToPort: 5432
      DestinationSecurityGroupId: !GetAtt Group.GroupId
      Description: !Ref Note
  Acl:
    Type: AWS::EC2::NetworkAcl
    Properties: {VpcId: !Ref Vpc, Tags: [{Key: Name, Value: acl}]}
  AclIn:
    Type: AWS::EC2::NetworkAclEntry
    Properties:
      NetworkAclId: !Ref Acl
      RuleNumber: 100
      Protocol: 6
      RuleAction: allow
      CidrBlock: 10.1.0.0/16
      PortRange: {From: 80, To: !Ref Last}
  AclOut:
    Type: AWS::EC2::NetworkAclEntry
    Properties:
      {NetworkAclId: !Ref Acl, RuleNumber: 100, Egress: true, Protocol: -1, RuleAction: allow,
       CidrBlock: 0.0.0.0/0}
  AclTied:
    Type: AWS::EC2::SubnetNetworkAclAssociation
    Properties: {SubnetId: !Ref App, NetworkAclId: !Ref Acl}
  Stores:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Gateway
      ServiceName: !Sub com.amazonaws.${AWS::Region}.s3
      RouteTableIds: !If [Second, [!Ref OtherTable], [!Ref AppTable]]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "*"}]
      Tags: [{Key: Name, Value: s3}]
  Secrets:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: !Sub com.amazonaws.${AWS::Region}.secretsmanager
      SubnetIds: !If [Second, [!Ref App, !Ref Edge], [!Ref App]]
      SecurityGroupIds: [!Ref Group]
      PrivateDnsEnabled: true
  Logs: {Type: "AWS::Logs::LogGroup"}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          {Effect: Allow, Principal: {Service: vpc-flow-logs.amazonaws.com}, Action: "sts:AssumeRole"}
  Flows:
    Type: AWS::EC2::FlowLog
    Properties:
      ResourceId: !Ref Vpc
      ResourceType: VPC
      TrafficType: REJECT
      LogDestinationType: cloud-watch-logs
      LogGroupName: !Ref Logs
      DeliverLogsPermissionArn: !GetAtt Role.Arn
      MaxAggregationInterval: 60
      Tags: [{Key: Name, Value: flows}]
Outputs:
  Endpoint: {Value: !Ref Secrets}
  Zones: {Value: !Sub "${Edge.AvailabilityZone} ${App.AvailabilityZone}"}
"""
