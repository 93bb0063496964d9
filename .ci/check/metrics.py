"""Checks that the code counts what the template watches: every `metric` that a log line may carry is on the
dashboard, and every alarm and metric filter looks for something that is logged."""

import json
import pathlib
import re
import sys

resources = json.load(open(sys.argv[1]))["Resources"]
telemetry = pathlib.Path("shared/src/telemetry.rs").read_text()
functions = "".join(path.read_text() for path in pathlib.Path("functions").glob("*/src/lib.rs"))
counted = set(re.findall(r'Self::\w+ => "(\w+)"', telemetry))
assert counted, "telemetry.rs names no metrics"


def of_type(kind):
    return {name: r["Properties"] for name, r in resources.items() if r["Type"] == kind}


wrong = []
for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
    for dimension in alarm.get("Dimensions", []):
        if dimension["Name"] == "metric" and dimension["Value"] not in counted:
            wrong.append(f"{name} waits for the metric {dimension['Value']}, which nothing logs")
made = {"Noteworthy"}
for name, metric_filter in of_type("AWS::Logs::MetricFilter").items():
    (transformation,) = metric_filter["MetricTransformations"]
    made.add(transformation["MetricName"])
    field = transformation["MetricValue"].removeprefix("$.")
    if not field.isdigit() and not re.search(rf"\b{field} = ", functions):
        wrong.append(f"{name} counts the field {field}, which nothing logs")
    for dimension in transformation.get("Dimensions", []):
        if dimension["Value"].removeprefix("$.") not in {"metric", *re.findall(r'\\"(\w+)\\":', telemetry)}:
            wrong.append(f"{name} counts by {dimension['Value']}, which no line has")
for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
    for metric in [it["MetricStat"]["Metric"] for it in alarm.get("Metrics", []) if "MetricStat" in it] or [alarm]:
        ours = "Till/" in json.dumps(metric["Namespace"])
        if ours and metric["MetricName"] not in made:
            wrong.append(f"{name} waits for {metric['MetricName']}, which no metric filter makes")
# A mailer that was given few instances is turned away as a matter of course.
nothing, of_mailer = {"Ref": "AWS::NoValue"}, {"Name": "FunctionName", "Value": {"Ref": "MailerFunction"}}
throttles = of_type("AWS::CloudWatch::Alarm")["FunctionsThrottled"]["Metrics"]
limited = [it["Fn::If"] for it in throttles if "Fn::If" in it]
if [(condition, then) for condition, then, _ in limited] != [("LimitMailer", nothing)]:
    wrong.append("FunctionsThrottled should look at all functions but a mailer that has MailerConcurrency")
elif any(of_mailer in it.get("MetricStat", {}).get("Metric", {}).get("Dimensions", []) for it in throttles):
    wrong.append("FunctionsThrottled goes off by itself when the mailer has MailerConcurrency")
elif of_mailer not in limited[0][2]["MetricStat"]["Metric"]["Dimensions"]:
    wrong.append("FunctionsThrottled does not look at a mailer without MailerConcurrency")
(dashboard,) = of_type("AWS::CloudWatch::Dashboard").values()
for metric in sorted(counted):
    if f'"{metric}"' not in dashboard["DashboardBody"]["Fn::Sub"]:
        wrong.append(f"the dashboard does not show the metric {metric}")
alarmed = set(re.findall(r"\$\{(\w+)\.Arn\}", dashboard["DashboardBody"]["Fn::Sub"]))
for name in sorted(of_type("AWS::CloudWatch::Alarm").keys() ^ alarmed):
    wrong.append(f"{name} is either on the dashboard or in the template, but not in both")
if wrong:
    sys.exit("\n".join(wrong))
print(f"{len(counted)} metrics of log lines and {len(alarmed)} alarms: all of them are made and shown")
