"""A template with every type of Secrets Manager and KMS that the lab has."""

SECRETS = """
Parameters:
  Function: {Type: String}
  Subnets: {Type: "List<AWS::EC2::Subnet::Id>"}
  PeerKey: {Type: String}
  Second: {Type: String, Default: "no"}
Conditions:
  Second: !Equals [!Ref Second, "yes"]
  First: !Not [!Condition Second]
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      Description: !If [Second, second, first]
      EnableKeyRotation: true
      RotationPeriodInDays: !If [Second, 365, 180]
      PendingWindowInDays: 7
      MultiRegion: true
      KeySpec: SYMMETRIC_DEFAULT
      KeyUsage: ENCRYPT_DECRYPT
      Origin: AWS_KMS
      BypassPolicyLockoutSafetyCheck: false
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}
            Action: !If [Second, ["kms:*"], "kms:*"]
            Resource: "*"
      Tags: [{Key: Name, Value: !If [Second, second, first]}]
  OffKey:
    Type: AWS::KMS::Key
    Properties:
      Enabled: !If [Second, "true", "false"]
      EnableKeyRotation: !If [Second, false, true]
      PendingWindowInDays: 7
  Alias:
    Type: AWS::KMS::Alias
    Properties: {AliasName: alias/kept, TargetKeyId: !If [Second, !GetAtt OffKey.Arn, !Ref Key]}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      Description: !If [Second, second, first]
      KmsKeyId: !If [Second, !Ref "AWS::NoValue", !GetAtt Key.Arn]
      GenerateSecretString:
        SecretStringTemplate: '{"username": "orders"}'
        GenerateStringKey: password
        PasswordLength: !If [Second, 40, 20]
        ExcludeCharacters: "abc"
        ExcludePunctuation: true
        ExcludeLowercase: false
        ExcludeNumbers: false
        ExcludeUppercase: false
        IncludeSpace: false
        RequireEachIncludedType: true
      ReplicaRegions: !If [Second, [{Region: eu-west-1}], [{Region: us-west-2, KmsKeyId: !Ref PeerKey}]]
      Tags: [{Key: Name, Value: !If [Second, second, first]}]
  Plain:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: plain, SecretString: !If [Second, second, first]}
  Empty:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: empty}
  Schedule:
    Type: AWS::SecretsManager::RotationSchedule
    Properties:
      SecretId: !Ref Secret
      RotationLambdaARN: !Ref Function
      RotateImmediatelyOnUpdate: false
      RotationRules: !If
        - Second
        - {AutomaticallyAfterDays: 30}
        - {ScheduleExpression: "cron(0 8 1 * ? *)", Duration: 3h}
  Policy:
    Type: AWS::SecretsManager::ResourcePolicy
    Properties:
      SecretId: !Ref Secret
      BlockPublicPolicy: true
      ResourcePolicy:
        Version: "2012-10-17"
        Statement:
          - Effect: Deny
            Principal: "*"
            Action: !If [Second, "secretsmanager:DeleteSecret", "secretsmanager:PutSecretValue"]
            Resource: "*"
            Condition: {Bool: {"aws:SecureTransport": "false"}}
  Group:
    Type: AWS::RDS::DBSubnetGroup
    Properties: {DBSubnetGroupDescription: g, SubnetIds: !Ref Subnets}
  Cluster:
    Type: AWS::RDS::DBCluster
    Properties:
      Engine: aurora-postgresql
      DatabaseName: shop
      DBSubnetGroupName: !Ref Group
      MasterUsername: keeper
      MasterUserPassword: !Sub "{{resolve:secretsmanager:${Admin}:SecretString:password}}"
  Admin:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: {SecretStringTemplate: '{"username": "keeper"}', GenerateStringKey: password}
  Attachment:
    Type: AWS::SecretsManager::SecretTargetAttachment
    Properties: {SecretId: !Ref Admin, TargetType: "AWS::RDS::DBCluster", TargetId: !Ref Cluster}
Outputs:
  Key: {Value: !Ref Key}
  KeyArn: {Value: !GetAtt Key.Arn}
  Secret: {Value: !Ref Secret}
  SecretId: {Value: !GetAtt Secret.Id}
  Admin: {Value: !Ref Admin}
  Host: {Value: !GetAtt Cluster.Endpoint.Address}
"""
