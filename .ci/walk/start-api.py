"""SAM's command line, whose `local start-api` ignores JWT authorizers: functions then see no claims and
answer 401. This gives them the claims of tokens that the local shop has signed, as API Gateway does; a
request without such a token still reaches the function, which refuses it. Run by `start-api`."""

import base64
import functools
import json
import os
import time
import urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from samcli.cli.main import cli
from samcli.local.apigw import local_apigw_service

SHOP = os.environ.get("SHOP_URL", "http://127.0.0.1:3000")


def read(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@functools.cache
def audience():
    return read(f"{SHOP}/config.json")["client_id"]


@functools.cache
def issuer():
    return read(f"{SHOP}/config.json")["issuer"]


@functools.cache
def key(key_id):
    """The issuer's RSA key of that name."""
    keys = read(read(f"{issuer()}/.well-known/openid-configuration")["jwks_uri"])["keys"]
    numbers = next(key for key in keys if key["kid"] == key_id)
    modulus, exponent = (int.from_bytes(decoded(numbers[name])) for name in ("n", "e"))
    return RSAPublicNumbers(exponent, modulus).public_key()


def claims(authorization):
    """What the token says, if it is genuine, meant for the shop's site and not expired."""
    try:
        scheme, token = authorization.split()
        header, payload, signature = token.split(".")
        described = json.loads(decoded(header))
        if scheme.lower() != "bearer" or described["alg"] != "RS256":
            return None
        signed = f"{header}.{payload}".encode()
        key(described["kid"]).verify(decoded(signature), signed, PKCS1v15(), SHA256())
        said = json.loads(decoded(payload))
    except (InvalidSignature, KeyError, StopIteration, ValueError):
        return None
    genuine = said.get("iss") == issuer() and said.get("aud") == audience()
    return said if genuine and said.get("exp", 0) > time.time() else None


def as_text(value):
    """Claims reach functions as strings."""
    return value if isinstance(value, str) else json.dumps(value)


def with_claims(construct):
    def constructed(flask_request, *arguments, **options):
        event = construct(flask_request, *arguments, **options)
        said = claims(flask_request.headers.get("Authorization", ""))
        if said:
            texts = {name: as_text(value) for name, value in said.items()}
            event["requestContext"]["authorizer"] = {"jwt": {"claims": texts, "scopes": None}}
        return event

    return constructed


local_apigw_service.construct_v2_event_http = with_claims(local_apigw_service.construct_v2_event_http)
cli(prog_name="sam")
