"""What the webhook does of durable work for a paid session, as one writes it in Python: with boto3 and stripe."""

import datetime
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
    purchase["mails"] += ["paid", "sold"]
    purchase["announced"] = {"paid": {"sequence": purchase["version"] + 1, "at": now}}
    buyer = purchase["order"]["buyer"]["subject"]
    purchase["history"] = buyer
    purchase.pop("work_shard"), purchase.pop("work_due")
    parts = [replace(purchase), claim(taken, purchase, now), pointer(session, id), no_longer_held(buyer, id, now)]
    sale = {"payment_intent": session.payment_intent}
    mails = [mail("paid", purchase, paid, now), mail("sold", purchase, paid, now, sale=sale)]
    dynamodb.transact_write_items(TransactItems=[*parts, *mails, told(purchase, paid, now)])
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


def mail(which, purchase, paid, now, **besides):
    row = due(f"{purchase['pk']}#{which}", now) | {
        "mail": which, "livemode": False, "superseded": False,
        "content": {"purchase_id": purchase["pk"], "order": purchase["order"], "paid": paid, **besides},
    }
    return put(OUTBOX, row, "attribute_not_exists(id)")


def told(purchase, paid, now):
    """The event for other systems, which names the buyer by subject only."""
    id, order, none = purchase["pk"], purchase["order"], paid | {"amount": 0}
    shown = ("product_id", "name", "quantity", "unit_amount")
    detail = {
        "schema": 1, "id": f"{id}#paid", "subject": id, "sequence": purchase["version"], "recorded_at": utc(now),
        "replay": False, "livemode": False,
        "purchase": {
            # The id begins with when it was made up, in milliseconds.
            "id": id, "status": "paid", "created_at": utc(int(id[:8] + id[9:13], 16) / 1000),
            "buyer": {"subject": order["buyer"]["subject"]},
            "lines": [{name: line[name] for name in shown} for line in order["lines"]],
            "total": order["total"], "paid": paid, "refunded": none, "disputed": none, "net": paid,
        },
    }
    # boto3 reads numbers as decimals, which its own `json` cannot write.
    row = due(f"event#{id}#paid", now) | {"kind": "purchase.paid", "detail": json.dumps(detail, default=int)}
    return put(OUTBOX, row, "attribute_not_exists(id)")


def due(id, now):
    """What a row of the outbox has, whatever is to be done."""
    return {
        "id": id, "layout": 1, "state": "due", "due_shard": "due", "next_attempt": now, "created_at": now,
        "attempts": 0,
    }


def utc(seconds):
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


serve(handler)
