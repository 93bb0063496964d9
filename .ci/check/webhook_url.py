"""Checks that callers without an AWS identity reach the webhook's URL, and nothing else. Since October
2025 that has taken two permissions, both on what the URL leads to; SAM adds them."""

import json
import sys

resources = json.load(open(sys.argv[1]))["Resources"]
of_type = lambda kind: [r["Properties"] for r in resources.values() if r["Type"] == kind]

(url,) = of_type("AWS::Lambda::Url")
public = [dict(permission) for permission in of_type("AWS::Lambda::Permission") if permission["Principal"] == "*"]
target = {"FunctionName": url["TargetFunctionArn"], "Principal": "*"}
expected = [
    {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE", **target},
    {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True, **target},
]
by_action = lambda permission: permission["Action"]
if url["AuthType"] != "NONE" or sorted(public, key=by_action) != sorted(expected, key=by_action):
    sys.exit(f"The public may call: {json.dumps(public, indent=1)}\nbut should: {json.dumps(expected, indent=1)}")
if resources[url["TargetFunctionArn"]["Ref"]]["Type"] != "AWS::Lambda::Alias":
    sys.exit("The webhook's URL bypasses the alias, and with it gradual deployment")
print("The webhook's URL leads to the alias and has both permissions")
