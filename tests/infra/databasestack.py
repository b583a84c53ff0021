"""Templates of databases that use every property that a system may sensibly use."""

CLUSTER = """
Parameters:
  Subnet: {Type: String}
  Other: {Type: String}
  Retention: {Type: Number, Default: 7}
  Most: {Type: Number, Default: 4}
  Protect: {Type: String, Default: "false"}
  Note: {Type: String, Default: first}
  Class: {Type: String, Default: db.serverless}
Resources:
  Key: {Type: 'AWS::KMS::Key', Properties: {KeyPolicy: {Version: '2012-10-17', Statement: []}}}
  Monitor:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: []}}
  Group:
    Type: AWS::RDS::DBSubnetGroup
    Properties:
      DBSubnetGroupName: stores
      DBSubnetGroupDescription: !Ref Note
      SubnetIds: [!Ref Subnet, !Ref Other]
      Tags: [{Key: note, Value: !Ref Note}]
  Settings:
    Type: AWS::RDS::DBClusterParameterGroup
    Properties:
      Family: aurora-postgresql16
      Description: settings
      Parameters: {rds.force_ssl: "1", log_statement: ddl, log_min_duration_statement: !Ref Most}
      Tags: [{Key: note, Value: !Ref Note}]
  Cluster:
    Type: AWS::RDS::DBCluster
    DeletionPolicy: Snapshot
    Properties:
      DBClusterIdentifier: orders
      Engine: aurora-postgresql
      EngineVersion: "16.8"
      EngineMode: provisioned
      EngineLifecycleSupport: open-source-rds-extended-support-disabled
      DatabaseName: shop
      MasterUsername: keeper
      ManageMasterUserPassword: true
      MasterUserSecret: {KmsKeyId: !GetAtt Key.Arn}
      Port: "5433"
      DBSubnetGroupName: !Ref Group
      DBClusterParameterGroupName: !Ref Settings
      ServerlessV2ScalingConfiguration: {MinCapacity: 0.5, MaxCapacity: !Ref Most}
      StorageEncrypted: true
      KmsKeyId: !GetAtt Key.Arn
      BackupRetentionPeriod: !Ref Retention
      PreferredBackupWindow: 02:00-03:00
      PreferredMaintenanceWindow: sun:04:00-sun:05:00
      CopyTagsToSnapshot: true
      DeletionProtection: !Ref Protect
      EnableCloudwatchLogsExports: [postgresql]
      EnableIAMDatabaseAuthentication: true
      EnableHttpEndpoint: true
      NetworkType: IPV4
      PerformanceInsightsEnabled: true
      PerformanceInsightsRetentionPeriod: 7
      PerformanceInsightsKmsKeyId: !GetAtt Key.Arn
      MonitoringInterval: 60
      MonitoringRoleArn: !GetAtt Monitor.Arn
      DatabaseInsightsMode: standard
      Tags: [{Key: note, Value: !Ref Note}]
  Writer:
    Type: AWS::RDS::DBInstance
    Properties:
      DBClusterIdentifier: !Ref Cluster
      DBInstanceIdentifier: orders-1
      Engine: aurora-postgresql
      DBInstanceClass: !Ref Class
      PromotionTier: "2"
      PubliclyAccessible: false
      AutoMinorVersionUpgrade: true
      CACertificateIdentifier: rds-ca-rsa4096-g1
      EnablePerformanceInsights: true
      PerformanceInsightsRetentionPeriod: 7
      PerformanceInsightsKMSKeyId: !GetAtt Key.Arn
      MonitoringInterval: 60
      MonitoringRoleArn: !GetAtt Monitor.Arn
      PreferredMaintenanceWindow: sun:04:00-sun:05:00
      CopyTagsToSnapshot: true
      Tags: [{Key: note, Value: !Ref Note}]
Outputs:
  Cluster: {Value: !Ref Cluster}
  Arn: {Value: !GetAtt Cluster.DBClusterArn}
  Resource: {Value: !GetAtt Cluster.DBClusterResourceId}
  Endpoint: {Value: !GetAtt Cluster.Endpoint.Address}
  Port: {Value: !GetAtt Cluster.Endpoint.Port}
  Reader: {Value: !GetAtt Cluster.ReadEndpoint.Address}
  Secret: {Value: !GetAtt Cluster.MasterUserSecret.SecretArn}
  Writer: {Value: !GetAtt Writer.Endpoint.Address}
"""

PRIMARY = """
Parameters: {Protect: {Type: String, Default: "false"}}
Resources:
  Cluster:
    Type: AWS::RDS::DBCluster
    DeletionPolicy: Delete
    Properties:
      DBClusterIdentifier: east
      Engine: aurora-postgresql
      EngineVersion: "16.8"
      MasterUsername: keeper
      MasterUserPassword: a-password
      DatabaseName: shop
  World:
    Type: AWS::RDS::GlobalCluster
    Properties:
      GlobalClusterIdentifier: world
      SourceDBClusterIdentifier: !Ref Cluster
      DeletionProtection: !Ref Protect
      Tags: [{Key: a, Value: b}]
Outputs: {Endpoint: {Value: !GetAtt World.GlobalEndpoint.Address}}
"""

SECONDARY = """
Resources:
  Cluster:
    Type: AWS::RDS::DBCluster
    DeletionPolicy: Delete
    Properties:
      DBClusterIdentifier: west
      Engine: aurora-postgresql
      GlobalClusterIdentifier: world
      SourceRegion: us-east-1
      EnableGlobalWriteForwarding: false
"""

RESTORED = """
Parameters: {Snapshot: {Type: String}}
Resources:
  Cluster:
    Type: AWS::RDS::DBCluster
    DeletionPolicy: Delete
    Properties:
      Engine: aurora-postgresql
      SnapshotIdentifier: !Ref Snapshot
      MasterUserPassword: another-one
      PreferredMaintenanceWindow: sun:04:00-sun:05:00
      ServerlessV2ScalingConfiguration: {MinCapacity: 1, MaxCapacity: 2}
"""
