"""A template with every type that watches the system and tells of it."""

ALERTS = """
Parameters:
  Threshold: {Type: Number, Default: "10"}
  Note: {Type: String, Default: the first}
  Days: {Type: Number, Default: 30}
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Statement:
          - Effect: Allow
            Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}
            Action: "kms:*"
            Resource: "*"
          - Effect: Allow
            Principal: {Service: [cloudwatch.amazonaws.com, sns.amazonaws.com]}
            Action: ["kms:Decrypt", "kms:GenerateDataKey*"]
            Resource: "*"
          - Effect: Allow
            Principal: {Service: !Sub "logs.${AWS::Region}.amazonaws.com"}
            Action: ["kms:Encrypt*", "kms:Decrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
            Resource: "*"
            Condition:
              ArnLike:
                "kms:EncryptionContext:aws:logs:arn": !Sub "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:*"
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: alerts
      DisplayName: !Ref Note
      KmsMasterKeyId: !GetAtt Key.Arn
      SignatureVersion: "2"
      TracingConfig: PassThrough
      Subscription: [{Protocol: sqs, Endpoint: !GetAtt Dead.Arn}]
      Tags: [{Key: a, Value: !Ref Note}]
  Dead:
    Type: AWS::SQS::Queue
    Properties: {RedriveAllowPolicy: {redrivePermission: allowAll}}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: pager
      KmsMasterKeyId: !GetAtt Key.Arn
      KmsDataKeyReusePeriodSeconds: 600
      DelaySeconds: "0"
      MaximumMessageSize: 65536
      MessageRetentionPeriod: 1209600
      ReceiveMessageWaitTimeSeconds: 20
      VisibilityTimeout: 45
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
      Tags: [{Key: a, Value: !Ref Note}]
  MayWrite:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue, !Ref Dead]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: sqs:SendMessage
            Resource: "*"
            Condition: {ArnEquals: {"aws:SourceArn": !Ref Topic}}
  MayPublish:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: cloudwatch.amazonaws.com}
            Action: sns:Publish
            Resource: !Ref Topic
            Condition: {StringEquals: {"aws:SourceAccount": !Ref "AWS::AccountId"}}
  Reads:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Topic
      Protocol: sqs
      Endpoint: !GetAtt Queue.Arn
      RawMessageDelivery: "true"
      FilterPolicyScope: MessageAttributes
      FilterPolicy: {kind: [alarm, {exists: false}]}
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn}
      Region: !Ref AWS::Region
  Mail:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: email, Endpoint: ops@example.com}
  Errors:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: errors
      AlarmDescription: !Ref Note
      ActionsEnabled: "true"
      AlarmActions: [!Ref Topic]
      OKActions: [!Ref Topic]
      InsufficientDataActions: [!Ref Topic]
      Namespace: AWS/ApplicationELB
      MetricName: HTTPCode_Target_5XX_Count
      Dimensions: [{Name: LoadBalancer, Value: app/a/1}]
      Statistic: Sum
      Unit: Count
      Period: "60"
      EvaluationPeriods: "2"
      DatapointsToAlarm: "2"
      ComparisonOperator: GreaterThanOrEqualToThreshold
      Threshold: !Ref Threshold
      TreatMissingData: notBreaching
      Tags: [{Key: a, Value: !Ref Note}]
  Slow:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: n
      MetricName: m
      ExtendedStatistic: p99
      EvaluateLowSampleCountPercentile: ignore
      Period: 60
      EvaluationPeriods: 3
      DatapointsToAlarm: 2
      ComparisonOperator: LessThanThreshold
      Threshold: 0.5
  Share:
    Type: AWS::CloudWatch::Alarm
    Properties:
      EvaluationPeriods: 1
      ComparisonOperator: GreaterThanThreshold
      Threshold: 1
      Metrics:
        - {Id: share, Expression: 100 * bad / all, Label: share, ReturnData: "true"}
        - Id: bad
          ReturnData: false
          MetricStat: {Metric: {Namespace: n, MetricName: bad}, Period: "60", Stat: Sum}
        - Id: all
          ReturnData: false
          MetricStat:
            Metric: {Namespace: n, MetricName: all, Dimensions: [{Name: d, Value: v}]}
            Period: 60
            Stat: Sum
  Both:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties:
      AlarmName: both
      AlarmDescription: !Ref Note
      ActionsEnabled: true
      AlarmActions: [!Ref Topic]
      AlarmRule: !Sub ALARM("${Errors}") AND NOT OK("${Slow}")
      Tags: [{Key: a, Value: !Ref Note}]
  Board:
    Type: AWS::CloudWatch::Dashboard
    Properties:
      DashboardName: board
      Tags: [{Key: a, Value: !Ref Note}]
      DashboardBody: !Sub |
        {"widgets": [{"type": "text", "properties": {"markdown": "${Note}"}}]}
  Group:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: /drill/app
      RetentionInDays: !Ref Days
      KmsKeyId: !GetAtt Key.Arn
      LogGroupClass: STANDARD
      Tags: [{Key: a, Value: !Ref Note}]
  Zone:
    Type: AWS::Route53::HostedZone
    Properties:
      Name: drill.test
      HostedZoneConfig: {Comment: !Ref Note}
      HostedZoneTags: [{Key: a, Value: !Ref Note}]
  ErrorCheck:
    Type: AWS::Route53::HealthCheck
    Properties:
      HealthCheckConfig:
        Type: CLOUDWATCH_METRIC
        AlarmIdentifier: {Name: !Ref Errors, Region: !Ref AWS::Region}
        InsufficientDataHealthStatus: Healthy
        Inverted: "false"
      HealthCheckTags: [{Key: a, Value: !Ref Note}]
  Region:
    Type: AWS::Route53::HealthCheck
    Properties:
      HealthCheckConfig:
        Type: CALCULATED
        ChildHealthChecks: [!Ref ErrorCheck]
        HealthThreshold: "1"
  Record:
    Type: AWS::Route53::RecordSet
    Properties:
      HostedZoneId: !Ref Zone
      Name: shop.drill.test
      Type: A
      TTL: "60"
      SetIdentifier: primary
      Failover: PRIMARY
      HealthCheckId: !Ref Region
      ResourceRecords: [127.0.0.1]
Outputs:
  Topic: {Value: !GetAtt Topic.TopicArn}
  Name: {Value: !GetAtt Topic.TopicName}
  Queue: {Value: !GetAtt Queue.QueueUrl}
  QueueName: {Value: !GetAtt Queue.QueueName}
  Alarm: {Value: !GetAtt Errors.Arn}
  Group: {Value: !GetAtt Group.Arn}
"""
