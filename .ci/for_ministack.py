"""Prints a built template with only what ministack supports, and says on stderr what was left out.

    for_ministack.py BUILT [NAME=VALUE…]

Variables of functions get the values given."""

import json
import sys

from samtranslator.yaml_helper import yaml_parse

template = yaml_parse(open(sys.argv[1]).read())
values = dict(argument.split("=", 1) for argument in sys.argv[2:])
left_out = []

for name, resource in list(template["Resources"].items()):
    kind, properties = resource["Type"], resource.get("Properties", {})
    if kind == "AWS::Cognito::ManagedLoginBranding":
        del template["Resources"][name]
        left_out.append(f"{name}: the sign-in page has only one style")
    elif name == "FilesBucketPolicy":
        del template["Resources"][name]
        left_out.append(f"{name}: it forbids calls without TLS, and there is none here")
    elif kind == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
        # The first of several, so that whatever refers to the alarm finds one.
        first = next(metric["MetricStat"] for metric in properties.pop("Metrics") if "MetricStat" in metric)
        properties |= first.pop("Metric") | {"Statistic": first["Stat"], "Period": first["Period"]}
        left_out.append(f"{name}: watches the first of its metrics, as their sum cannot be watched")
    elif kind == "AWS::Serverless::Function":
        if properties.pop("DeploymentPreference", None):
            left_out.append(f"{name}: its new versions take over at once, as there is no CodeDeploy")
        variables = properties["Environment"]["Variables"]
        variables |= {name: values[name] for name in variables.keys() & values.keys()}

json.dump(template, sys.stdout, indent=1, default=str)
print("Left out, because ministack does not support it:", *left_out, sep="\n  ", file=sys.stderr)
