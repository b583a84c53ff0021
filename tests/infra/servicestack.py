"""A template with every type of Lambda, IAM and load balancers that the lab has."""

SERVICES = """
Parameters:
  Bucket: {Type: String}
  Key: {Type: String}
  Sha256: {Type: String, Default: ""}
  Edge: {Type: "List<AWS::EC2::Subnet::Id>"}
  Group: {Type: String}
  Certificate: {Type: String}
  Second: {Type: String, Default: "no"}
Conditions:
  Second: !Equals [!Ref Second, "yes"]
  First: !Not [!Condition Second]
  SameCode: !Equals [!Ref Sha256, ""]
Resources:
  Boundary:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Description: What a role may have at most
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: !If [Second, "s3:*", "dynamodb:*"], Resource: "*"}
  Role:
    Type: AWS::IAM::Role
    Properties:
      Description: !If [Second, second, first]
      MaxSessionDuration: 7200
      PermissionsBoundary: !If [First, !Ref Boundary, !Ref "AWS::NoValue"]
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}
      ManagedPolicyArns: !If [Second, [], [!Ref Boundary]]
      Policies:
        - PolicyName: !If [Second, other, logs]
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: "logs:PutLogEvents", Resource: "*"}]
      Tags: [{Key: Name, Value: !If [Second, second, first]}]
  Extra:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: extra
      Roles: [!Ref Role]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: !If [Second, "arn:aws:sqs:*", "*"]}]
  Letters: {Type: "AWS::SQS::Queue"}
  Logs: {Type: "AWS::Logs::LogGroup"}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Description: !If [Second, second, !Ref "AWS::NoValue"]
      Runtime: python3.11
      Handler: app.handle
      Architectures: [x86_64]
      Role: !GetAtt Role.Arn
      Code: {S3Bucket: !Ref Bucket, S3Key: !Ref Key}
      MemorySize: !If [Second, 512, 256]
      Timeout: 7
      KmsKeyArn: arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000
      LoggingConfig: {LogFormat: JSON, LogGroup: !Ref Logs, ApplicationLogLevel: INFO, SystemLogLevel: WARN}
      DeadLetterConfig: !If [First, {TargetArn: !GetAtt Letters.Arn}, !Ref "AWS::NoValue"]
      TracingConfig: {Mode: Active}
      EphemeralStorage: {Size: 1024}
      ReservedConcurrentExecutions: !If [First, 5, !Ref "AWS::NoValue"]
      VpcConfig: {SubnetIds: !Ref Edge, SecurityGroupIds: [!Ref Group]}
      Environment: !If [First, {Variables: {PORT: 80}}, !Ref "AWS::NoValue"]
      Tags: [{Key: Name, Value: !If [Second, second, first]}]
  Version:
    Type: AWS::Lambda::Version
    Properties:
      FunctionName: !Ref Function
      Description: of the code
      CodeSha256: !If [SameCode, !Ref "AWS::NoValue", !Ref Sha256]
  Live:
    Type: AWS::Lambda::Alias
    Properties:
      FunctionName: !Ref Function
      FunctionVersion: !GetAtt Version.Version
      Name: live
      Description: who serves
      ProvisionedConcurrencyConfig: !If [First, {ProvisionedConcurrentExecutions: 2}, !Ref "AWS::NoValue"]
  Url:
    Type: AWS::Lambda::Url
    Properties: {TargetFunctionArn: !GetAtt Function.Arn, AuthType: AWS_IAM}
  MayInvoke:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref Live
      Principal: elasticloadbalancing.amazonaws.com
      SourceAccount: !Ref AWS::AccountId
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Name: !If [Second, edge, edge]
      Type: application
      Scheme: internet-facing
      IpAddressType: ipv4
      Subnets: !Ref Edge
      SecurityGroups: [!Ref Group]
      LoadBalancerAttributes:
        - {Key: deletion_protection.enabled, Value: !If [Second, "true", false]}
        - {Key: routing.http.drop_invalid_header_fields.enabled, Value: true}
        - {Key: idle_timeout.timeout_seconds, Value: !If [Second, 30, 20]}
      Tags: [{Key: Name, Value: !If [Second, second, first]}]
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    DependsOn: MayInvoke
    Properties:
      TargetType: lambda
      HealthCheckEnabled: true
      HealthCheckPath: !If [Second, /health/second, /health]
      HealthCheckIntervalSeconds: !If [Second, 60, 40]
      HealthCheckTimeoutSeconds: 20
      HealthyThresholdCount: 3
      UnhealthyThresholdCount: 4
      Matcher: {HttpCode: "200"}
      Targets: [{Id: !Ref Live}]
      TargetGroupAttributes: [{Key: lambda.multi_value_headers.enabled, Value: !If [Second, true, false]}]
      Tags: [{Key: Name, Value: !If [Second, second, first]}]
  Secure:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: 443
      Protocol: HTTPS
      SslPolicy: ELBSecurityPolicy-TLS13-1-2-2021-06
      Certificates: [{CertificateArn: !Ref Certificate}]
      DefaultActions: [{Type: forward, TargetGroupArn: !Ref Targets}]
  Plain:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: !If [Second, 8080, 80]
      Protocol: HTTP
      ListenerAttributes: [{Key: routing.http.response.server.enabled, Value: !If [Second, true, false]}]
      Tags: [{Key: Name, Value: !If [Second, second, first]}]
      DefaultActions:
        - {Type: redirect, RedirectConfig: {Protocol: HTTPS, Port: "443", StatusCode: HTTP_301}}
Outputs:
  Balancer: {Value: !GetAtt Balancer.LoadBalancerFullName}
  Targets: {Value: !GetAtt Targets.TargetGroupFullName}
  Arns: {Value: !Sub "${Balancer} ${Targets}"}
"""
