"""ministack's app, made to check the permissions that it overlooks and that our roles' conditions are about:

- SES requires ses:SendEmail on the sender's identity, with the sender as ses:FromAddress, and also on the
  identity's default configuration set. Every identity has one here.
- DynamoDB lists in dynamodb:Attributes what an update names in its key, update and condition."""

import json
import re

from ministack.core import iam_actions, iam_evaluator

WORDS = {"SET", "ADD", "REMOVE", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN"}
NAME = re.compile(r"(?<![\w.:#])(#?[A-Za-z]\w*)(?!\w*\s*\()")

asked = {name: getattr(iam_actions, name) for name in (
    "extract_resource_arn", "dynamodb_transaction_checks", "dynamodb_service_context")}
enforced = iam_evaluator.enforce


class Resource(str):
    """An ARN with what else has to be checked for it: condition keys, and other ARNs."""

    def __new__(cls, arn, keys, beside=()):
        resource = super().__new__(cls, arn)
        resource.keys, resource.beside = keys, beside
        return resource


def enforce(access_key, action, service, region, resource_arn="*", service_context=None):
    context = {**(service_context or {}), **getattr(resource_arn, "keys", {})}
    for arn in (resource_arn, *getattr(resource_arn, "beside", ())):
        denied = enforced(access_key, action, service, region, resource_arn=arn, service_context=context)
        if denied:
            return denied


def extract_resource_arn(service, method, path, headers, body, parameters, region, account):
    sender = iam_actions._query_param(parameters, "Source")
    if service != "ses" or iam_actions._query_param(parameters, "Action") != "SendEmail":
        return asked["extract_resource_arn"](service, method, path, headers, body, parameters, region, account)
    # The shop's name may come before it.
    address = re.search(r"[^<\s]+@[^>\s]+", sender)
    address = address[0] if address else sender
    of_ses = f"arn:aws:ses:{region}:{account}"
    keys = {"ses:FromAddress": address}
    return Resource(f"{of_ses}:identity/{address}", keys, [f"{of_ses}:configuration-set/default"])


def attributes(update):
    """The top-level attributes that an update names."""
    names = update.get("ExpressionAttributeNames") or {}
    text = " ".join(update.get(part) or "" for part in ("UpdateExpression", "ConditionExpression"))
    named = {names.get(name, name) for name in NAME.findall(text) if name.upper() not in WORDS}
    return sorted(named | update["Key"].keys())


def dynamodb_transaction_checks(action, body, region, account):
    checks = asked["dynamodb_transaction_checks"](action, body, region, account)
    items = [(member, detail) for item in json.loads(body).get("TransactItems", []) for member, detail in item.items()] if checks else []
    return [
        (single, Resource(arn, {"dynamodb:Attributes": attributes(detail)}) if member == "Update" else arn)
        for (single, arn), (member, detail) in zip(checks, items, strict=True)
    ]


def dynamodb_service_context(body):
    context = asked["dynamodb_service_context"](body)
    request = json.loads(body or b"{}")
    if "UpdateExpression" in request:
        context["dynamodb:Attributes"] = attributes(request)
    return context


for function in (extract_resource_arn, dynamodb_transaction_checks, dynamodb_service_context):
    setattr(iam_actions, function.__name__, function)
iam_evaluator.enforce = enforce

from ministack.app import app  # noqa: E402  It takes these as they are when it is imported.
