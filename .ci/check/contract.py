"""Lets schemathesis call the shop at $SHOP_URL by functions/openapi.yaml: nothing may fail on the shop's side, every
answer must be one that the contract declares, and what the contract forbids must be refused. Run by `contract`.

The buyer who calls has something of everything, so that calls do not end at a 404.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

SHOP = os.environ["SHOP_URL"]

# What schemathesis does not check here:
# - unsupported_method: an HTTP API of API Gateway answers 404, not 405, to a method that a path does not have.
SETTINGS = """
continue-on-failure = true
suppress-health-check = ["filter_too_much"]

[checks]
unsupported_method.enabled = false

[dictionaries]
purchases.values = {purchases}
subscriptions.values = {subscriptions}
products.values = {products}

# Nobody but the shop can make a cursor: one that only looks like it is refused.
[[operations]]
include-operation-id = ["listProducts", "listPurchases"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 304, 400]

# Carts of products that do not go together are refused, and so is whoever opens too many.
[[operations]]
include-operation-id = "openCheckout"
checks.positive_data_acceptance.expected-statuses = ["2xx", 404, 409, 422, 429]

[[operations]]
include-operation-id = "getProduct"
parameters."path.id" = {{ dictionary = "products", probability = 0.6 }}

[[operations]]
include-operation-id = ["getPurchase", "cancelPurchase"]
parameters."path.id" = {{ dictionary = "purchases", probability = 0.6 }}

[[operations]]
include-operation-id = "getSubscription"
parameters."path.id" = {{ dictionary = "subscriptions", probability = 0.6 }}
"""


def call(url, token=None, body=None, form=None):
    data = json.dumps(body).encode() if body is not None else urllib.parse.urlencode(form).encode() if form else None
    headers = {"content-type": "application/json"} if body is not None else {}
    if token:
        headers["authorization"] = f"Bearer {token}"
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
        return answer.read()


def buy(token, product, *, pay):
    cart = {"items": [{"product_id": product, "quantity": 1}], "country": "DE"}
    checkout = json.loads(call(f"{SHOP}/checkout", token, body=cart))
    if pay:
        card = {"card_number": "4242 4242 4242 4242", "exp": "12 / 34", "cvc": "123"}
        # The page asks for it if something is shipped.
        address = {
            "phone": "+49301234567", "shipping_name": "Ada Byron", "shipping_line1": "Weg 1",
            "shipping_city": "Berlin", "shipping_postal_code": "10115", "shipping_country": "DE",
        }
        call(checkout["url"], form={"email": "ada@example.com", **card, **address})
    return checkout["purchase_id"]


def main():
    token = json.loads(call(f"{SHOP}/_local/token", form={"email": "ada@example.com"}))["access_token"]
    purchases = [buy(token, product, pay=True) for product in ("sample-mug", "sample-teapot", "sample-magazine")]
    purchases.append(buy(token, "sample-notebook", pay=False))
    call(f"{SHOP}/_local/settle", form={"": ""})
    subscriptions = json.loads(call(f"{SHOP}/subscriptions", token))["subscriptions"]
    products = json.loads(call(f"{SHOP}/products"))["products"]
    assert subscriptions, "the buyer has no subscription"
    settings = SETTINGS.format(
        purchases=json.dumps(purchases),
        subscriptions=json.dumps([subscription["id"] for subscription in subscriptions]),
        products=json.dumps([product["id"] for product in products]),
    )
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/schemathesis.toml", "w") as file:
            file.write(settings)
        command = [
            "schemathesis", "--config-file", file.name, "run", os.path.abspath("functions/openapi.yaml"),
            "--url", SHOP, "--header", f"Authorization: Bearer {token}", "--max-examples", "60", "--no-color",
            *sys.argv[1:],
        ]
        sys.exit(subprocess.run(command, cwd=folder).returncode)


main()
