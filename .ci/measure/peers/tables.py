"""DynamoDB for both functions, by boto3: clients made as the module loads, with Till's time limits."""

import os

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config

CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard"})
PRODUCTS, PURCHASES, OUTBOX = (os.environ[name] for name in ("PRODUCTS_TABLE", "PURCHASES_TABLE", "OUTBOX_TABLE"))
dynamodb = boto3.client("dynamodb", config=CONFIG)
to_attribute, from_attribute = TypeSerializer().serialize, TypeDeserializer().deserialize


def secret(variable):
    name = os.environ[f"{variable}_PARAMETER"]
    ssm = boto3.client("ssm", config=CONFIG)
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


def item(value):
    return {name: to_attribute(member) for name, member in value.items()}


def value(attributes):
    return {name: from_attribute(member) for name, member in attributes.items()}


def put(table, value, condition, **names_and_values):
    part = {"TableName": table, "Item": item(value), "ConditionExpression": condition}
    values = {f":{name}": to_attribute(one) for name, one in names_and_values.items() if name != "names"}
    if values:
        part["ExpressionAttributeValues"] = values
    if "names" in names_and_values:
        part["ExpressionAttributeNames"] = names_and_values["names"]
    return {"Put": part}


def replace(purchase):
    """The purchase's next version, on condition that nobody else has written it."""
    read, purchase["version"] = purchase["version"], purchase["version"] + 1
    return put(PURCHASES, purchase, "version = :version", version=read)
