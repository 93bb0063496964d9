"""Lets a first deployment fail after creating everything that outlives a stack, and checks that none of it is left;
then lets one succeed, and checks that all of it outlives the stack. Run it under with-ministack."""

import json
import time

import boto3
from samtranslator.yaml_helper import yaml_parse

cloudformation = boto3.client("cloudformation")

whole = yaml_parse(open("template.yaml").read())
kept = {name: resource for name, resource in whole["Resources"].items() if "DeletionPolicy" in resource}
addresses = [{"ParameterKey": name, "ParameterValue": "x@example.com"} for name in ("MailFrom", "SellerEmail", "DeveloperEmail")]


def create(name, resources):
    """The status in which creating the stack ends."""
    template = {part: whole[part] for part in ("Parameters", "Conditions")} | {"Resources": resources}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template, default=str), Parameters=addresses)
    return end_of(name)


def end_of(name):
    for _ in range(60):
        status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(0.5)
    return status


def there():
    """What exists of the kinds that are kept."""
    tables = boto3.client("dynamodb").list_tables()["TableNames"]
    pools = boto3.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
    buckets = boto3.client("s3").list_buckets()["Buckets"]
    return sorted([*tables, *(pool["Name"] for pool in pools), *(bucket["Name"] for bucket in buckets)])


# It waits a second for a signal that nobody sends.
word = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
wait = {"Handle": {"Ref": "Word"}, "Timeout": "1"}
fails = {"Type": "AWS::CloudFormation::WaitCondition", "DependsOn": sorted(kept), "Properties": wait}
status = create("fails", kept | {"Word": word, "Fails": fails})
assert (status, there()) == ("ROLLBACK_COMPLETE", []), (status, there())
print("a first deployment that fails leaves no table, bucket or user pool behind")

assert create("works", kept) == "CREATE_COMPLETE"
made = there()
assert len(made) == len(kept), made
stack = cloudformation.describe_stacks(StackName="works")["Stacks"][0]["StackId"]
cloudformation.delete_stack(StackName="works")
assert (end_of(stack), there()) == ("DELETE_COMPLETE", made), there()
print(f"what is kept outlives its stack: {', '.join(made)}")
