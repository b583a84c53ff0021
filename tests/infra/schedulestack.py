"""Templates of the resource types of schedules, backups and budgets, with every property that they have."""

PLANNED = """
Parameters:
  Minutes: {Type: Number, Default: 5}
  Days: {Type: Number, Default: 7}
  Usd: {Type: Number, Default: 500}
  Team: {Type: String, Default: shop}
  State: {Type: String, Default: ENABLED}
  In: {Type: String, Default: g}
  Policy: {Type: String, Default: "yes"}
Conditions:
  HasPolicy: !Equals [!Ref Policy, "yes"]
Resources:
  Invoker:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: scheduler.amazonaws.com}, Action: "sts:AssumeRole"}
  Keeper:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: backup.amazonaws.com}, Action: "sts:AssumeRole"}
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {AWS: !Ref AWS::AccountId}, Action: "kms:*", Resource: "*"}
  Group:
    Type: AWS::Scheduler::ScheduleGroup
    Properties:
      Name: g
      Tags: [{Key: team, Value: !Ref Team}]
  Other:
    Type: AWS::Scheduler::ScheduleGroup
    Properties: {Name: h}
  Schedule:
    Type: AWS::Scheduler::Schedule
    DependsOn: [Group, Other]
    Properties:
      GroupName: !Ref In
      Description: calls a function
      ScheduleExpression: !Sub "rate(${Minutes} minutes)"
      ScheduleExpressionTimezone: Europe/Berlin
      StartDate: "2030-01-01T00:00:00+00:00"
      EndDate: "2040-01-01T00:00:00+00:00"
      FlexibleTimeWindow: {Mode: FLEXIBLE, MaximumWindowInMinutes: "2"}
      State: !Ref State
      KmsKeyArn: !GetAtt Key.Arn
      Target:
        Arn: !Sub "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:f"
        RoleArn: !GetAtt Invoker.Arn
        Input: '{"a": 1}'
        RetryPolicy: {MaximumRetryAttempts: "3", MaximumEventAgeInSeconds: 60}
        DeadLetterConfig: {Arn: !Sub "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:dead"}
  Vault:
    Type: AWS::Backup::BackupVault
    Properties:
      BackupVaultName: vault
      EncryptionKeyArn: !GetAtt Key.Arn
      BackupVaultTags: {team: !Ref Team}
      AccessPolicy: !If
        - HasPolicy
        - Version: "2012-10-17"
          Statement:
            - {Effect: Deny, Principal: "*", Action: "backup:DeleteRecoveryPoint", Resource: "*"}
        - !Ref AWS::NoValue
      LockConfiguration: {MinRetentionDays: 1, MaxRetentionDays: "365"}
      Notifications:
        SNSTopicArn: !Sub "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:t"
        BackupVaultEvents: [BACKUP_JOB_FAILED, COPY_JOB_FAILED]
  Plan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlanTags: {team: !Ref Team}
      BackupPlan:
        BackupPlanName: plan
        AdvancedBackupSettings:
          - {ResourceType: EC2, BackupOptions: {WindowsVSS: enabled}}
        BackupPlanRule:
          - RuleName: hourly
            TargetBackupVault: !Ref Vault
            ScheduleExpression: cron(0 * * * ? *)
            ScheduleExpressionTimezone: Europe/Berlin
            StartWindowMinutes: "60"
            CompletionWindowMinutes: 120
            EnableContinuousBackup: "false"
            Lifecycle: {DeleteAfterDays: !Ref Days}
            RecoveryPointTags: {made-by: plan}
            CopyActions:
              - DestinationBackupVaultArn: arn:aws:backup:us-west-2:123456789012:backup-vault:other
                Lifecycle: {DeleteAfterDays: !Ref Days}
  Selection:
    Type: AWS::Backup::BackupSelection
    Properties:
      BackupPlanId: !Ref Plan
      BackupSelection:
        SelectionName: databases
        IamRoleArn: !GetAtt Keeper.Arn
        Resources: ["arn:aws:rds:*:*:cluster:*"]
        NotResources: ["arn:aws:rds:*:*:cluster:other"]
        ListOfTags: [{ConditionType: STRINGEQUALS, ConditionKey: team, ConditionValue: !Ref Team}]
        Conditions:
          StringEquals: [{ConditionKey: "aws:ResourceTag/team", ConditionValue: !Ref Team}]
  Budget:
    Type: AWS::Budgets::Budget
    Properties:
      Budget:
        BudgetType: COST
        TimeUnit: MONTHLY
        BudgetLimit: {Amount: !Ref Usd, Unit: USD}
        CostFilters: {TagKeyValue: ["user:project$shop"]}
        CostTypes: {IncludeTax: "true", UseBlended: false}
        TimePeriod: {Start: "1793491200", End: "1893456000"}
      NotificationsWithSubscribers:
        - Notification:
            NotificationType: ACTUAL
            ComparisonOperator: GREATER_THAN
            Threshold: "80"
            ThresholdType: PERCENTAGE
          Subscribers:
            - {SubscriptionType: SNS, Address: !Sub "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:t"}
            - {SubscriptionType: EMAIL, Address: pager@example.com}
      ResourceTags: [{Key: team, Value: !Ref Team}]
Outputs:
  Schedule: {Value: !GetAtt Schedule.Arn}
  Group: {Value: !GetAtt Group.Arn}
  Vault: {Value: !GetAtt Vault.BackupVaultArn}
  Plan: {Value: !GetAtt Plan.BackupPlanArn}
  Version: {Value: !GetAtt Plan.VersionId}
  Selection: {Value: !GetAtt Selection.SelectionId}
  Budget: {Value: !Ref Budget}
"""
