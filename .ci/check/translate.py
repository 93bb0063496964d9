"""Prints the CloudFormation template that AWS makes from a SAM template. Needs no account.

    translate.py TEMPLATE [PARAMETER=VALUE…]"""

import json
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """The template names managed policies only by ARN, so there is nothing to look up."""

    def load(self):
        return {}


template = yaml_parse(open(sys.argv[1]).read())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        # Where `sam deploy` would have uploaded it.
        resource["Properties"]["CodeUri"] = "s3://bucket/key"
parameters = dict(argument.split("=", 1) for argument in sys.argv[2:])
json.dump(transform(template, parameters, NoManagedPolicies()), sys.stdout, indent=1)
