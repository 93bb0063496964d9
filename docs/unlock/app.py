"""Unlocks a download for whoever has paid for it, and locks it again when the money goes back.

The table has a row for each purchase: whose it is, of which products, and whether it is unlocked. Whatever hands out
the files asks it. An event may come twice, or after a later one, so a row changes only to a sequence that is not
behind its own."""

import os

import boto3
from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

PAID = {"paid", "partially_refunded"}

table = boto3.resource("dynamodb").Table(os.environ["UNLOCKED_TABLE"])


def handler(event, context):
    detail = event["detail"]
    purchase = detail["purchase"]
    row = {
        "purchase_id": purchase["id"],
        "sequence": detail["sequence"],
        # Missing if the shop had lost the purchase, and Stripe did not know whose it was.
        "buyer": purchase["buyer"].get("subject", "unknown"),
        "products": [line["product_id"] for line in purchase["lines"]],
        "unlocked": purchase["status"] in PAID,
    }
    newer = Attr("purchase_id").not_exists() | Attr("sequence").lte(row["sequence"])
    try:
        table.put_item(Item=row, ConditionExpression=newer)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
