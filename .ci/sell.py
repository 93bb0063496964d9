"""Buys something in the shop that was deployed to ministack. Run by `sell`."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

AWS, STRIPE = os.environ["AWS_ENDPOINT_URL"], os.environ["STRIPE_URL"]
BUYER, PASSWORD = "ada@example.com", "Correct-horse-9-battery"

cloudformation, lambdas, apis = (boto3.client(name) for name in ("cloudformation", "lambda", "apigatewayv2"))
cognito, dynamodb, ssm = (boto3.client(name) for name in ("cognito-idp", "dynamodb", "ssm"))

stack = cloudformation.describe_stacks(StackName="till")["Stacks"][0]
outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
resources = {
    resource["LogicalResourceId"]: resource["PhysicalResourceId"]
    for resource in cloudformation.describe_stack_resources(StackName="till")["StackResources"]
}
site = json.loads(outputs["SiteConfig"])


class Untouched(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def call(method, url, body=None, headers={}):
    """Status, headers and text of an answer, whatever it is."""
    request = urllib.request.Request(url, method=method, data=body, headers=headers)
    try:
        answer = urllib.request.build_opener(Untouched).open(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.headers, answer.read().decode()


def form(**fields):
    return urllib.parse.urlencode(fields).encode()


def shown(what):
    print(f"ok      {what}", flush=True)


def route_api():
    """ministack takes no routes from a template: they are made here, of what the template says."""
    template = yaml_parse(open(".aws-sam/build/template.yaml").read())["Resources"]
    authorizer = apis.create_authorizer(
        ApiId=resources["ShopApi"], Name="Buyers", AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": site["issuer"], "Audience": [site["client_id"]]},
    )["AuthorizerId"]
    for name, function in template.items():
        for event in function["Properties"].get("Events", {}).values() if "Properties" in function else ():
            if event["Type"] != "HttpApi":
                continue
            arn = resources.get(f"{name}Aliaslive") or lambdas.get_function(FunctionName=resources[name])["Configuration"]["FunctionArn"]
            integration = apis.create_integration(
                ApiId=resources["ShopApi"], IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0",
                IntegrationUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
            )["IntegrationId"]
            public = event["Properties"].get("Auth", {}).get("Authorizer") == "NONE"
            admission = {} if public else {"AuthorizationType": "JWT", "AuthorizerId": authorizer}
            apis.create_route(
                ApiId=resources["ShopApi"], Target=f"integrations/{integration}",
                RouteKey=f"{event['Properties']['Method']} {event['Properties']['Path']}", **admission,
            )


def api(method, path, token=None, body=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    url = f"{AWS}/_aws/execute-api/{resources['ShopApi']}/$default{path}"
    status, _, text = call(method, url, body and json.dumps(body).encode(), headers)
    return status, json.loads(text) if text else None


def sign_in():
    """As the site does: a code for a challenge, an ID token for the code."""
    cognito.admin_create_user(
        UserPoolId=outputs["BuyerPool"], Username=BUYER, MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": BUYER}, {"Name": "email_verified", "Value": "true"}],
    )
    cognito.admin_set_user_password(
        UserPoolId=outputs["BuyerPool"], Username=BUYER, Password=PASSWORD, Permanent=True
    )
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    redirect = f"{outputs['SiteAddress']}/callback.html"
    wish = dict(
        client_id=site["client_id"], redirect_uri=redirect, scope="openid email", state="s", nonce="n",
        response_type="code", code_challenge=challenge, code_challenge_method="S256",
    )
    status, _, page = call("GET", f"{AWS}/oauth2/authorize?{urllib.parse.urlencode(wish)}")
    assert status == 200, (status, page)
    status, headers, page = call("POST", f"{AWS}/login", form(**wish, username=BUYER, password=PASSWORD))
    assert status == 302 and headers["Location"].startswith(redirect), (status, headers, page)
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(headers["Location"]).query)["code"][0]
    exchange = dict(
        grant_type="authorization_code", client_id=site["client_id"], redirect_uri=redirect, code=code,
        code_verifier=verifier,
    )
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _, text = call("POST", f"{AWS}/oauth2/token", form(**exchange), kind)
    assert status == 200, (status, text)
    return json.loads(text)["id_token"]


def function_url(query=""):
    url_id = urllib.parse.urlsplit(outputs["WebhookUrl"]).hostname.split(".")[0]
    return f"{AWS}/_aws/lambda-url/{url_id}/{query}"


def deliver(event, secret="whsec_local"):
    """As Stripe delivers, to the function URL."""
    body, now = json.dumps(event).encode(), int(time.time())
    signature = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={now},v1={signature}", "Content-Type": "application/json"}
    return call("POST", function_url(), body, headers)


def until(what, look):
    for _ in range(60):
        if found := look():
            return found
        time.sleep(0.5)
    raise SystemExit(f"after 30 seconds there is no {what}")


def event_of(purchase):
    status, _, text = call(
        "GET", f"{STRIPE}/v1/events?type=checkout.session.completed", headers={"Authorization": "Bearer sk_test_local"}
    )
    assert status == 200, text
    return next((e for e in json.loads(text)["data"] if e["data"]["object"]["client_reference_id"] == purchase), None)


def mails(purchase):
    boxes = json.loads(call("GET", f"{AWS}/_ministack/ses/messages")[2])["messages"]
    return [mail for box in boxes.values() for mail in box if purchase in mail["BodyText"]]


def as_function(name):
    """AWS, as somebody who may do what the function's role may."""
    iam, role = boto3.client("iam"), resources[f"{name}Role"]
    iam.create_user(UserName=name)
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        iam.put_user_policy(UserName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.Session(key["AccessKeyId"], key["SecretAccessKey"])


def refused(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"].startswith("AccessDenied"), error
        return True
    return False


def change_product(what):
    """As a transaction that checkout and webhook write changes one."""
    return [{"Update": {
        "TableName": outputs["ProductsTable"], "Key": {"id": {"S": "mug"}},
        "UpdateExpression": f"SET {what} = :value", "ExpressionAttributeValues": {":value": {"N": "1"}},
    }}]


def invoke(name, sample):
    answer = lambdas.invoke(FunctionName=resources[name], Payload=open(f"events/{sample}.json", "rb").read())
    assert "FunctionError" not in answer, answer["Payload"].read()


invoke("ReconcileFunction", "reconcile-schedule")
shown("before the shop is set up, reconcile waits and fails nowhere")

ssm.put_parameter(Name=outputs["StripeSecretKeyParameter"], Value="sk_test_local", Type="SecureString")
ssm.put_parameter(Name=outputs["StripeWebhookSecretsParameter"], Value="whsec_local", Type="SecureString")
dynamodb.put_item(TableName=outputs["ProductsTable"], Item={
    "id": {"S": "mug"}, "catalog": {"S": "catalog"}, "name": {"S": "Mug"}, "description": {"S": "Holds 350 ml."},
    "images": {"L": []}, "price": {"M": {"amount": {"N": "1500"}, "currency": {"S": "usd"}}}, "active": {"BOOL": True},
})
route_api()

status, found = api("GET", "/products")
assert status == 200 and [product["id"] for product in found["products"]] == ["mug"], (status, found)
assert api("GET", "/products/mug")[0] == 200
shown("anybody sees what is for sale")

cart = {"items": [{"product_id": "mug", "quantity": 2}]}
assert api("POST", "/checkout", body=cart)[0] == 401
assert api("POST", "/checkout", token="ey.ey.ey", body=cart)[0] == 401
token = sign_in()
shown("a buyer signs in with a code and PKCE; others are turned away by the API")

status, checkout = api("POST", "/checkout", token, cart)
assert status == 201, (status, checkout)
shown("checkout opens a session at Stripe with the key from Parameter Store")

status, _, text = call("POST", checkout["url"], form(**{
    "email": BUYER, "card_number": "4242 4242 4242 4242", "exp": "12 / 40", "cvc": "123"}))
assert status in (200, 302, 303), (status, text)
event = until("event of the payment", lambda: event_of(checkout["purchase_id"]))
assert deliver(event, "whsec_another")[0] == 400
status, _, text = deliver(event)
assert status == 200, (status, text)
shown("webhook takes the event, and none with another's signature")

for query in ("?q=a+b", "?q=a%20b%22%3C%0D"):
    status, _, text = call("POST", function_url(query), b"{}")
    assert status == 400 and json.loads(text)["type"] == "urn:till:problem:bad-signature", (status, text)
shown("webhook has an answer whatever is in the query")

status, purchase = api("GET", f"/purchases/{checkout['purchase_id']}", token)
assert status == 200 and purchase["status"] == "paid", (status, purchase)
assert purchase["total"] == {"amount": 3000, "currency": "usd"}, purchase
status, history = api("GET", "/purchases", token)
assert status == 200 and [one["id"] for one in history["purchases"]] == [checkout["purchase_id"]], (status, history)
shown("the purchase is paid and in the buyer's history")

(mail,) = until("mail", lambda: mails(checkout["purchase_id"]))
assert mail["To"] == ["dev@example.com"] and "Mug" in mail["BodyText"], mail
shown("the outbox's stream wakes mailer, which sends the receipt")

invoke("ReconcileFunction", "reconcile-schedule")
invoke("MailerFunction", "mailer-schedule")
sent = [mail["Subject"] for mail in mails(checkout["purchase_id"])]
assert len(sent) == 1, sent
shown("reconcile and mailer run by schedule, and do nothing twice")

if os.environ.get("AUTH") == "true":
    letter = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}
    mail = dict(Destination={"ToAddresses": [BUYER]}, Message=letter)
    ses = as_function("Mailer").client("ses")
    assert not refused(ses.send_email, Source="shop@example.com", **mail)
    assert refused(ses.send_email, Source="billing@example.com", **mail)
    shown("mailer sends as the shop, by a configuration set, and as nobody else")
    for name in ("Checkout", "Webhook", "Reconcile"):
        write = as_function(name).client("dynamodb").transact_write_items
        assert not refused(write, TransactItems=change_product("stock"))
        assert refused(write, TransactItems=change_product("price")), name
    shown("of a product, checkout, webhook and reconcile change the stock and nothing else")
