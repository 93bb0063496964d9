"""Lambda's Runtime API, as a loop: the same in both languages, because AWS's client for Node needs a compiler."""

import http.client
import json
import os


def serve(handler):
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        api.request("GET", "/2018-06-01/runtime/invocation/next")
        invocation = api.getresponse()
        event = json.loads(invocation.read())
        said = json.dumps(handler(event))
        path = f"/2018-06-01/runtime/invocation/{invocation.headers['lambda-runtime-aws-request-id']}/response"
        api.request("POST", path, said)
        api.getresponse().read()
