"""Checks that a deployment can go wrong without harm: a first one that fails leaves nothing behind, a new
version is judged only by what it does itself, and not at all if it is to take over at once.

    deployment.py TRANSLATED TRANSLATED_WITH_ALL_AT_ONCE"""

import json
import sys

resources, at_once = (json.load(open(path))["Resources"] for path in sys.argv[1:])
wrong = []


def of_type(kind):
    return {name: r["Properties"] for name, r in resources.items() if r["Type"] == kind}


# --- what is kept, and what is not ---

KEPT = {"AWS::DynamoDB::Table", "AWS::Cognito::UserPool"}
for name, resource in resources.items():
    policies = resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")
    # Versions go with their function.
    if policies == (None, None) and resource["Type"] not in KEPT or resource["Type"] == "AWS::Lambda::Version":
        continue
    if policies != ("RetainExceptOnCreate", "Retain"):
        wrong.append(f"{name} has the policies {policies}: it must outlive the stack, and go if its creation fails")
    if {"DeletionProtectionEnabled", "DeletionProtection"} & resource["Properties"].keys():
        wrong.append(f"{name} is protected from the start: a first deployment that fails could not remove it")

# --- which alarms end a deployment ---

groups, alarms = of_type("AWS::CodeDeploy::DeploymentGroup"), of_type("AWS::CloudWatch::Alarm")
aliases = {name.removesuffix("Aliaslive"): alias for name, alias in of_type("AWS::Lambda::Alias").items()}
if {name.removesuffix("DeploymentGroup") for name in groups} != aliases.keys():
    wrong.append(f"{sorted(groups)} deploy the versions of {sorted(aliases)}: each function should have its own")
guards = set()
for group, properties in groups.items():
    function = group.removesuffix("DeploymentGroup")
    version = aliases[function]["FunctionVersion"]
    of_lambda = {
        "FunctionName": {"Ref": function},
        "Resource": {"Fn::Sub": f"${{{function}}}:live"},
        "ExecutedVersion": version,
    }
    for named in properties["AlarmConfiguration"]["Alarms"]:
        guard = named["Name"]["Ref"]
        guards.add(guard)
        alarm = alarms[guard]
        metrics = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one] or [alarm]
        for metric in metrics:
            told = {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}
            if told != (of_lambda if metric["Namespace"] == "AWS/Lambda" else {"version": version}):
                wrong.append(f"{guard} looks at {metric['MetricName']} of {told}, not of the new version alone")
        if f"${{{'.'.join(version['Fn::GetAtt'])}}}" not in alarm.get("AlarmName", {}).get("Fn::Sub", ""):
            wrong.append(f"{guard} is not named after the new version: it would inherit the state of the old one")
        if alarm["Threshold"] <= 1:
            wrong.append(f"{guard} goes off at the first error")
for name, alarm in alarms.items():
    if name not in guards and not alarm.get("AlarmActions"):
        wrong.append(f"{name} tells nobody and ends no deployment")

for name, resource in at_once.items():
    if resource["Type"].startswith("AWS::CodeDeploy::") or "CodeDeployLambdaAliasUpdate" in resource.get("UpdatePolicy", {}):
        wrong.append(f"{name}: a version that takes over at once could be taken back")

if wrong:
    sys.exit("\n".join(wrong))
print(f"{', '.join(sorted(guards))}: the new version alone ends its deployment; a failed first one leaves nothing")
