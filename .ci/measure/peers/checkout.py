"""What `POST /checkout` does of durable work, as one writes it in Python: with boto3 and stripe."""

import hashlib
import json
import os
import time
import uuid

import stripe

from serve import serve
from tables import PRODUCTS, PURCHASES, dynamodb, item, put, replace, secret, value

SITE, STACK = os.environ["SITE_URL"], os.environ["TILL_STACK"]
DAY = 24 * 3600
stripe.api_key = secret("STRIPE_SECRET_KEY")
stripe.api_base, stripe.ca_bundle_path = os.environ["STRIPE_API_BASE"], os.environ["AWS_CA_BUNDLE"]


def handler(event):
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    cart = json.loads(event["body"])["items"]
    buyer, key, now = claims["sub"], event["headers"]["idempotency-key"], int(time.time())
    request = f"idem#{buyer}#{hashlib.sha256(key.encode()).hexdigest()}"
    products = read(buyer, request, cart)
    purchase = opened(cart, products, {"subject": buyer, "email": claims["email"]}, now)
    dynamodb.transact_write_items(TransactItems=opening(purchase, request, event["body"], now))
    session = session_of(purchase)
    purchase["facts"]["sessions"][session.id] = {"state": "open"}
    purchase["attempt"]["url"] = session.url
    dynamodb.transact_write_items(TransactItems=[replace(purchase)])
    body = json.dumps({"purchase_id": purchase["pk"], "url": session.url})
    return {"statusCode": 201, "headers": {"content-type": "application/json"}, "body": body}


def read(buyer, request, cart):
    rows = [item({"pk": f"buyer#{buyer}", "sk": "open"}), item({"pk": request, "sk": "request"})]
    ids = [item({"id": line["product_id"]}) for line in cart]
    wanted = {PURCHASES: {"Keys": rows, "ConsistentRead": True}, PRODUCTS: {"Keys": ids}}
    found = dynamodb.batch_get_item(RequestItems=wanted)["Responses"]
    assert not found[PURCHASES], "each of these buyers buys once"
    return {product["id"]: product for product in map(value, found[PRODUCTS])}


def opened(cart, products, buyer, now):
    lines = [line(products[wanted["product_id"]], wanted["quantity"]) for wanted in cart]
    currency = {products[wanted["product_id"]]["price"]["currency"] for wanted in cart}.pop()
    total = sum(line["unit_amount"] * line["quantity"] for line in lines)
    order = {"buyer": buyer, "lines": lines, "total": {"amount": total, "currency": currency}}
    attempt = {"number": 1, "started_at": now, "expires_at": now + 23 * 3600}
    return {
        "pk": str(uuid.uuid4()), "sk": "purchase", "version": 1, "layout": 1, "earliest": 1, "order": order,
        "attempt": attempt,
        "facts": {"sessions": {}}, "mails": [], "superseded": [], "abandoned": False,
        "work_shard": "work", "work_due": now + 3600,
    }


def line(product, quantity):
    price = product["price"]
    return {
        "product_id": product["id"], "name": product["name"], "description": product["description"],
        "image": product["images"][0], "quantity": quantity, "unit_amount": int(price["amount"]),
    }


def opening(purchase, request, body, now):
    buyer, expires = purchase["order"]["buyer"]["subject"], purchase["attempt"]["expires_at"]
    held = {"pk": f"buyer#{buyer}", "sk": "open", "version": 1, "ttl": now + 90 * DAY}
    held[purchase["pk"]] = {"pieces": 0, "until": expires + 600}
    fingerprint = hashlib.sha256(body.encode()).hexdigest()
    known = {"pk": request, "sk": "request", "fingerprint": fingerprint, "purchase_id": purchase["pk"], "ttl": now + DAY}
    unused = "attribute_not_exists(pk) OR #ttl <= :now"
    return [
        put(PURCHASES, purchase, "attribute_not_exists(pk)"),
        put(PURCHASES, held, "attribute_not_exists(pk)"),
        put(PURCHASES, known, unused, names={"#ttl": "ttl"}, now=now),
    ]


def session_of(purchase):
    order, tags = purchase["order"], {"till_stack": STACK, "purchase_id": purchase["pk"]}
    tags["buyer"] = order["buyer"]["subject"]
    return stripe.checkout.Session.create(
        mode="payment",
        client_reference_id=purchase["pk"],
        customer_email=order["buyer"]["email"],
        expires_at=purchase["attempt"]["expires_at"],
        allow_promotion_codes=True,
        adaptive_pricing={"enabled": False},
        line_items=[priced(line, order["total"]["currency"]) for line in order["lines"]],
        metadata=tags,
        payment_intent_data={"metadata": tags},
        success_url=f"{SITE}/success.html?purchase_id={purchase['pk']}",
        cancel_url=f"{SITE}/cancel.html?purchase_id={purchase['pk']}",
        idempotency_key=f"{purchase['pk']}:1",
    )


def priced(line, currency):
    product = {"name": line["name"], "description": line["description"], "images": [line["image"]]}
    product["metadata"] = {"product_id": line["product_id"]}
    data = {"currency": currency, "unit_amount": line["unit_amount"], "product_data": product}
    return {"quantity": line["quantity"], "price_data": data}


serve(handler)
