"""Deploys the user pool alone, with the template's rules, and checks who sends its sign-up codes and what
signing in asks for. Run it under with-ministack."""

import json
import time

import boto3
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

cloudformation, cognito = boto3.client("cloudformation"), boto3.client("cognito-idp")

whole = yaml_parse(open("template.yaml").read())
template = {part: whole[part] for part in ("Parameters", "Rules", "Conditions")}
template["Resources"] = {"BuyerPool": whole["Resources"]["BuyerPool"]}
SENDER = "shop@example.com"
NEEDED = {"MailFrom": SENDER, "SellerEmail": "seller@example.com", "DeveloperEmail": "dev@example.com"}


def deploy(stack, **parameters):
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in (NEEDED | parameters).items()]
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template, default=str), Parameters=parameters)
    for _ in range(60):
        status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        if not status.endswith("IN_PROGRESS"):
            break
        time.sleep(0.5)
    assert status == "CREATE_COMPLETE", (stack, status)


def refused(**parameters):
    """What CloudFormation says to it."""
    try:
        deploy("refused", **parameters)
    except ClientError as error:
        return error.response["Error"]["Message"]
    return "nothing: it deploys it"


def pool(stack):
    resource = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId="BuyerPool")
    return cognito.describe_user_pool(UserPoolId=resource["StackResourceDetail"]["PhysicalResourceId"])["UserPool"]


said = refused(Mode="live")
assert "needs MailIdentity" in said, said
print("a live shop with a user pool is not deployed without MailIdentity")

deploy("test")
mail = pool("test")["EmailConfiguration"]
assert mail["EmailSendingAccount"] == "COGNITO_DEFAULT", mail
print("a test shop without one leaves the codes to Cognito's own mail")

deploy("live", Mode="live", MailIdentity="example.com")
mail = pool("live")["EmailConfiguration"]
assert (mail["EmailSendingAccount"], mail["From"]) == ("DEVELOPER", SENDER), mail
assert mail["SourceArn"].startswith("arn:aws:ses:us-east-1:"), mail
assert mail["SourceArn"].endswith(":identity/example.com"), mail
print("a live shop with one sends them by SES, as the shop's own sender")

for stack in ("test", "live"):
    assert pool(stack).get("MfaConfiguration", "OFF") == "OFF", pool(stack)
print("nobody is asked for a second factor, which no page could add")

# With an issuer there is no pool, whose mail there could be.
issuer = {"JwtIssuer": "https://login.example.com", "JwtAudience": "till"}
said = refused(Mode="live", **issuer)
assert "needs MailIdentity" not in said, said
print("a live shop with an issuer of its own needs no MailIdentity")
