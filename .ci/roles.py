"""Checks that every role in a CloudFormation template grants named actions on named resources,
that none may scan a table, and that every function has a role of its own."""

import json
import sys

resources = json.load(open(sys.argv[1]))["Resources"]
wrong = []


def listed(value):
    return value if isinstance(value, list) else [value]


for name, resource in resources.items():
    if resource["Type"] != "AWS::IAM::Role":
        continue
    for policy in resource["Properties"].get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            sid = f"{name}, {statement.get('Sid', 'a statement without Sid')}"
            for action in listed(statement["Action"]):
                if "*" in action or action.endswith(":Scan"):
                    wrong.append(f"{sid}: grants {action}")
            for target in listed(statement["Resource"]):
                if target == "*":
                    wrong.append(f"{sid}: applies to every resource")

roles = [
    json.dumps(resource["Properties"]["Role"])
    for resource in resources.values()
    if resource["Type"] == "AWS::Lambda::Function"
]
for role in set(roles):
    if roles.count(role) > 1:
        wrong.append(f"{role} is the role of {roles.count(role)} functions")

if wrong:
    sys.exit("\n".join(wrong))
print(f"{len(roles)} functions, each with a role of its own that grants no more than it names")
