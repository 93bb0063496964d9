"""A shop deployed to ministack, and a buyer in it: where its parts are, and how to sign in, buy and pay. For the
scripts that use such a shop: `sell`, `doctor` and `operations`."""

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


def finish():
    """Sets what CloudFormation would have set, but ministack does not."""
    for table, expires in [("ProductsTable", False), ("PurchasesTable", True), ("OutboxTable", True)]:
        table = outputs[table]
        if expires:
            wanted = {"Enabled": True, "AttributeName": "ttl"}
            dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)
        wanted = {"PointInTimeRecoveryEnabled": True}
        dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=wanted)


def route_api():
    """Creates the routes and the CORS settings of the template, which ministack does not take from it."""
    template = yaml_parse(open(".aws-sam/build/template.yaml").read())["Resources"]
    cors = template["ShopApi"]["Properties"]["CorsConfiguration"] | {"AllowOrigins": [outputs["SiteAddress"]]}
    apis.update_api(ApiId=resources["ShopApi"], CorsConfiguration=cors)
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


def until(what, look, seconds=30):
    for _ in range(2 * seconds):
        if found := look():
            return found
        time.sleep(0.5)
    raise SystemExit(f"after {seconds} seconds there is no {what}")


def event_of(purchase):
    status, _, text = call(
        "GET", f"{STRIPE}/v1/events?type=checkout.session.completed", headers={"Authorization": "Bearer sk_test_local"}
    )
    assert status == 200, text
    return next((e for e in json.loads(text)["data"] if e["data"]["object"]["client_reference_id"] == purchase), None)


def pay(checkout):
    """By card, as a buyer does on Stripe's page: the event that Stripe makes of it."""
    card = {"email": BUYER, "card_number": "4242 4242 4242 4242", "exp": "12 / 40", "cvc": "123"}
    status, _, text = call("POST", checkout["url"], form(**card))
    assert status in (200, 302, 303), (status, text)
    return until("event of the payment", lambda: event_of(checkout["purchase_id"]))


def mails(purchase):
    boxes = json.loads(call("GET", f"{AWS}/_ministack/ses/messages")[2])["messages"]
    return [mail for box in boxes.values() for mail in box if purchase in mail["BodyText"]]


def invoke(name, sample):
    answer = lambdas.invoke(FunctionName=resources[name], Payload=open(f"events/{sample}.json", "rb").read())
    assert "FunctionError" not in answer, answer["Payload"].read()
