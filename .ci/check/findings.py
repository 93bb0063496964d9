"""Compares what checkov finds in the translated template with findings.txt, which says why each
finding stays. One that is not listed fails, and so does a line whose finding is gone.

    checkov -f TRANSLATED -o json | findings.py LIST"""

import json
import sys

report = json.load(sys.stdin)
found = {
    (check["check_id"], check["resource"].rpartition(".")[2]): check["check_name"]
    for check in report["results"]["failed_checks"]
}
explained = set()
for line in open(sys.argv[1]):
    if line.strip() and not line.startswith("#"):
        check, *resources = line.split()
        explained |= {(check, resource) for resource in resources}

wrong = [f"{check} {resource}: {found[check, resource]}" for check, resource in sorted(found.keys() - explained)]
wrong += [f"{check} {resource}: listed, but not found" for check, resource in sorted(explained - found.keys())]
if report["results"].get("parsing_errors"):
    wrong.append(f"checkov cannot read: {report['results']['parsing_errors']}")
if not report["summary"]["passed"]:
    wrong.append("checkov checked nothing")
if wrong:
    sys.exit("\n".join([f"checkov and {sys.argv[1]} differ:", *wrong]))
print(f"checkov: {report['summary']['passed']} checks hold, {len(found)} findings are explained in {sys.argv[1]}")
