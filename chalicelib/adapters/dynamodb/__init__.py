"""The store of the cloud: two DynamoDB tables, through PynamoDB."""

from chalicelib.adapters.dynamodb.store import DynamoStore

__all__ = ["DynamoStore"]
