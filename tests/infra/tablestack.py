"""A template of a global table with every property of it that the lab knows, for the tests of the type."""

PROVISIONED = """
Parameters:
  Key: {Type: String}
  PeerKey: {Type: String}
  Most: {Type: Number, Default: 400}
  Reads: {Type: Number, Default: 33}
  Protected: {Type: String, Default: "false"}
  Mode: {Type: String, Default: PROVISIONED}
  Tag: {Type: String, Default: first}
Conditions:
  Provisioned: !Equals [!Ref Mode, PROVISIONED]
Resources:
  Orders:
    Type: AWS::DynamoDB::GlobalTable
    Properties:
      TableName: orders
      BillingMode: !Ref Mode
      AttributeDefinitions:
        - {AttributeName: customer, AttributeType: S}
        - {AttributeName: token, AttributeType: S}
        - {AttributeName: pending, AttributeType: S}
        - {AttributeName: region, AttributeType: S}
      KeySchema:
        - {AttributeName: customer, KeyType: HASH}
        - {AttributeName: token, KeyType: RANGE}
      LocalSecondaryIndexes:
        - IndexName: by-region
          KeySchema: [{AttributeName: customer, KeyType: HASH}, {AttributeName: region, KeyType: RANGE}]
          Projection: {ProjectionType: KEYS_ONLY}
      GlobalSecondaryIndexes:
        - IndexName: pending
          KeySchema: [{AttributeName: pending, KeyType: HASH}, {AttributeName: token, KeyType: RANGE}]
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [number]}
          WriteProvisionedThroughputSettings: !If
            - Provisioned
            - WriteCapacityAutoScalingSettings:
                MinCapacity: 30
                MaxCapacity: 300
                SeedCapacity: 35
                TargetTrackingScalingPolicyConfiguration: {TargetValue: 60}
            - !Ref AWS::NoValue
      WriteProvisionedThroughputSettings: !If
        - Provisioned
        - WriteCapacityAutoScalingSettings:
            MinCapacity: 40
            MaxCapacity: !Ref Most
            SeedCapacity: 45
            TargetTrackingScalingPolicyConfiguration:
              TargetValue: 70
              ScaleInCooldown: 120
              ScaleOutCooldown: 60
              DisableScaleIn: false
        - !Ref AWS::NoValue
      WriteOnDemandThroughputSettings: !If
        - Provisioned
        - !Ref AWS::NoValue
        - {MaxWriteRequestUnits: 900}
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
      SSESpecification: {SSEEnabled: true, SSEType: KMS}
      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
      Replicas:
        - Region: !Ref AWS::Region
          ContributorInsightsSpecification: {Enabled: true, Mode: THROTTLED_KEYS}
          DeletionProtectionEnabled: !Ref Protected
          PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 7}
          SSESpecification: {KMSMasterKeyId: !Ref Key}
          TableClass: STANDARD_INFREQUENT_ACCESS
          ReadProvisionedThroughputSettings: !If
            - Provisioned
            - ReadCapacityAutoScalingSettings:
                MinCapacity: 20
                MaxCapacity: 200
                SeedCapacity: 25
                TargetTrackingScalingPolicyConfiguration: {TargetValue: 50}
            - !Ref AWS::NoValue
          ReadOnDemandThroughputSettings: !If
            - Provisioned
            - !Ref AWS::NoValue
            - {MaxReadRequestUnits: 800}
          GlobalSecondaryIndexes:
            - IndexName: pending
              ContributorInsightsSpecification: {Enabled: true}
              ReadProvisionedThroughputSettings: !If
                - Provisioned
                - ReadCapacityAutoScalingSettings:
                    MinCapacity: 10
                    MaxCapacity: 100
                    TargetTrackingScalingPolicyConfiguration: {TargetValue: 70}
                - !Ref AWS::NoValue
          Tags: [{Key: "drill:opt-in", Value: !Ref Tag}]
        - Region: us-west-2
          DeletionProtectionEnabled: !Ref Protected
          PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
          SSESpecification: {KMSMasterKeyId: !Ref PeerKey}
          ResourcePolicy:
            PolicyDocument:
              Version: "2012-10-17"
              Statement:
                - Effect: Allow
                  Principal: {AWS: !Ref AWS::AccountId}
                  Action: dynamodb:GetItem
                  Resource: "*"
          ReadProvisionedThroughputSettings: !If
            - Provisioned
            - {ReadCapacityUnits: !Ref Reads}
            - !Ref AWS::NoValue
          GlobalSecondaryIndexes:
            - IndexName: pending
              ReadProvisionedThroughputSettings: !If
                - Provisioned
                - {ReadCapacityUnits: 44}
                - !Ref AWS::NoValue
          Tags: [{Key: project, Value: shop}]
Outputs:
  Arn: {Value: !GetAtt Orders.Arn}
  Id: {Value: !GetAtt Orders.TableId}
  Stream: {Value: !GetAtt Orders.StreamArn}
"""

SCALED = """
Resources:
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      ServiceNamespace: dynamodb
      ResourceId: table/orders
      ScalableDimension: dynamodb:table:WriteCapacityUnits
      MinCapacity: 5
      MaxCapacity: 50
      SuspendedState: {DynamicScalingInSuspended: true}
      Tags: [{Key: "drill:opt-in", Value: "true"}]
      ScheduledActions:
        - ScheduledActionName: morning
          Schedule: cron(0 8 * * ? *)
          Timezone: Europe/Berlin
          ScalableTargetAction: {MinCapacity: 10, MaxCapacity: 60}
  Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: track
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref Target
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: 70
        ScaleInCooldown: 60
        PredefinedMetricSpecification: {PredefinedMetricType: DynamoDBWriteCapacityUtilization}
"""
