"""A small order service: a Lambda handler behind an application load balancer.

Every order is one item of a DynamoDB table, which is replicated to the other region, and one
row in an Aurora cluster, which lives in one region. The table is written first and alone
decides: while Aurora is away orders are accepted as pending and written to it afterwards.
"""
