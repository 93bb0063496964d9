"""What the webhook does of durable work for a paid session, as one writes it in Python: with boto3 and stripe."""

import json
import time

import stripe

from serve import serve
from tables import OUTBOX, PURCHASES, dynamodb, item, put, replace, secret, to_attribute, value

SECRETS = secret("STRIPE_WEBHOOK_SECRETS").split(",")
DAY = 24 * 3600


def handler(event):
    signed = event["headers"]["stripe-signature"]
    taken = stripe.Webhook.construct_event(event["body"], signed, SECRETS[0])
    session, now = taken.data.object, int(time.time())
    id = session.metadata["purchase_id"]
    key = item({"pk": id, "sk": "purchase"})
    found = dynamodb.get_item(TableName=PURCHASES, Key=key, ConsistentRead=True)
    purchase = value(found["Item"])
    paid = {"amount": session.amount_total, "currency": session.currency}
    settled = {"state": "settled", "amount": paid, "payment_intent": session.payment_intent}
    purchase["facts"]["sessions"][session.id] = settled
    purchase["mails"].append("paid")
    buyer = purchase["order"]["buyer"]["subject"]
    purchase["history"] = buyer
    purchase.pop("work_shard"), purchase.pop("work_due")
    parts = [replace(purchase), claim(taken, purchase, now), pointer(session, id), no_longer_held(buyer, id, now)]
    dynamodb.transact_write_items(TransactItems=[*parts, receipt(purchase, paid, now)])
    body = json.dumps({"received": True, "result": "recorded"})
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}


def claim(event, purchase, now):
    row = {
        "pk": purchase["pk"], "sk": f"event#{event.id}", "type": event.type, "recorded_at": now, "changed": True,
        "status": "paid", "version": purchase["version"],
    }
    return put(PURCHASES, row, "attribute_not_exists(pk)")


def pointer(session, id):
    row = {"pk": f"intent#{session.payment_intent}", "sk": "pointer", "purchase_id": id}
    return put(PURCHASES, row, "attribute_not_exists(pk) OR purchase_id = :owner", owner=id)


def no_longer_held(buyer, id, now):
    return {
        "Update": {
            "TableName": PURCHASES,
            "Key": item({"pk": f"buyer#{buyer}", "sk": "open"}),
            "UpdateExpression": "REMOVE #purchase SET #ttl = :ttl ADD version :one",
            "ExpressionAttributeNames": {"#purchase": id, "#ttl": "ttl"},
            "ExpressionAttributeValues": {":ttl": to_attribute(now + 90 * DAY), ":one": to_attribute(1)},
        }
    }


def receipt(purchase, paid, now):
    row = {
        "id": f"{purchase['pk']}#paid", "mail": "paid", "state": "due", "due_shard": "due", "next_attempt": now,
        "created_at": now, "attempts": 0, "livemode": False, "superseded": False,
        "content": {"purchase_id": purchase["pk"], "order": purchase["order"], "paid": paid},
    }
    return put(OUTBOX, row, "attribute_not_exists(id)")


serve(handler)
