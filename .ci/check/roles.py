"""Compares what each function may do according to the translated template with the list in roles.txt, and
refuses what no list may allow: scanning, deleting, wildcards, policies written by others.

    roles.py TRANSLATED [LIST]

Without a list it prints what it finds, which is how roles.txt is written when a function needs more."""

import collections
import difflib
import itertools
import json
import re
import sys

FORBIDDEN = re.compile(r"\*|:\w*(Scan|Delete|BatchWriteItem|PassRole|PartiQL)", re.IGNORECASE)

resources = json.load(open(sys.argv[1]))["Resources"]
wrong = []


def listed(value):
    return value if isinstance(value, list) else [value]


def spelt(target):
    """`!GetAtt ProductsTable.Arn` and `!Sub ${ProductsTable.Arn}/index/catalog`, short enough for a list."""
    if target == "*":
        return target
    ((function, argument),) = target.items()
    text = f"${{{'.'.join(argument)}}}" if function == "Fn::GetAtt" else argument
    if isinstance(text, list):
        text, values = text
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", named(value))
    text = text.replace("arn:${AWS::Partition}:", "").replace("${AWS::Region}:${AWS::AccountId}:", "")
    text = text.replace("ssm:parameter", "parameter ").replace("secretsmanager:secret:", "secret ")
    text = text.replace(".StreamArn}", "}/stream")
    return re.sub(r"\$\{(\w+)(?:\.Arn)?\}", r"\1", text)


def named(value):
    """A value of `!Sub`: a string, a parameter, or a name made from the stack's."""
    if not isinstance(value, dict):
        return value
    return value["Fn::Sub"] if "Fn::Sub" in value else f"${{{value['Ref']}}}"


def held(statement):
    """The conditions under which the statement applies."""
    conditions = [
        f" if {key} {operator} {'|'.join(value.get('Ref') if isinstance(value, dict) else value for value in listed(values))}"
        for operator, tests in statement.get("Condition", {}).items()
        for key, values in tests.items()
    ]
    return "".join(conditions)


def grants(role):
    """Lines of a target and the actions on it, sorted."""
    actions = {}
    for statement in statements(role):
        assert statement["Effect"] == "Allow", statement
        assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}, statement
        for target in listed(statement["Resource"]):
            actions.setdefault(spelt(target), set()).update(
                action + held(statement) for action in listed(statement["Action"])
            )
    return [f"  {target:<44} {' '.join(sorted(some))}" for target, some in sorted(actions.items())]


def statements(role):
    for policy in role.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            conditions = sorted(set(re.findall(r'"Fn::If": \["(\w+)"', json.dumps(statement))))
            # Every combination is listed.
            for holds in itertools.product([True, False], repeat=len(conditions)):
                yield decided(statement, dict(zip(conditions, holds)))


def decided(value, holds):
    """The value with every `!If` decided."""
    if isinstance(value, list):
        return [decided(item, holds) for item in value]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value:
        condition, then, otherwise = value["Fn::If"]
        return decided(then if holds[condition] else otherwise, holds)
    return {key: decided(item, holds) for key, item in value.items()}


owners, found = {}, []
for name, function in sorted(resources.items()):
    if function["Type"] != "AWS::Lambda::Function":
        continue
    role_name = function["Properties"]["Role"]["Fn::GetAtt"][0]
    role = resources[role_name]["Properties"]
    if role_name in owners:
        wrong.append(f"{role_name} is the role of {owners[role_name]} and of {name}: give each its own")
    owners[role_name] = name
    if role.get("ManagedPolicyArns"):
        wrong.append(f"{role_name} has policies written by others: {role['ManagedPolicyArns']}")
    for statement in statements(role):
        for action in listed(statement["Action"]):
            if FORBIDDEN.search(action):
                wrong.append(f"{role_name}, {statement['Sid']}: grants {action}, which no function may")
        if "*" in listed(statement["Resource"]):
            wrong.append(f"{role_name}, {statement['Sid']}: applies to all resources")
    for policy in role.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            for others in [True, False]:
                holds = collections.defaultdict(lambda: others, WebhookHasKey=True)
                own = json.dumps(decided(statement, holds)["Resource"])
                if "WebhookHasKey" in json.dumps(statement) and re.search("StripeSecretKey|stripe-secret-key", own):
                    wrong.append(f"{role_name}, {statement['Sid']}: has a key of its own, but may read the others' as well")
    found.append("\n".join([name, *grants(role)]))

found = "\n\n".join(found) + "\n"
if len(sys.argv) == 2:
    sys.stdout.write(found)
else:
    expected = "".join(line for line in open(sys.argv[2]) if not line.startswith("#")).lstrip("\n")
    wrong += difflib.unified_diff(
        expected.splitlines(), found.splitlines(), sys.argv[2], "template.yaml", lineterm=""
    )

if wrong:
    sys.exit("\n".join(dict.fromkeys(wrong)))
if len(sys.argv) > 2:
    print(f"{len(owners)} functions, each with a role of its own, may do what {sys.argv[2]} lists")
