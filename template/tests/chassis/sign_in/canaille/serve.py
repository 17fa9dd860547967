"""A real OpenID provider for the tests: python serve.py PORT REDIRECT_URI…

Runs in a virtual environment of its own, so nothing of the service may be imported here.
"""

import os
import sys
from wsgiref.simple_server import make_server

from canaille import create_app  # type: ignore[import-not-found]
from canaille.app import models  # type: ignore[import-not-found]
from canaille.backends import Backend  # type: ignore[import-not-found]
from joserfc.jwk import RSAKey

# It is on loopback here, and would refuse plain HTTP there too.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
PORT, REDIRECT_URIS = int(sys.argv[1]), sys.argv[2:]
KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
CONFIGURATION = {
    "SECRET_KEY": "the-tests-need-no-secret-here",
    "PREFERRED_URL_SCHEME": "http",
    "SERVER_NAME": f"localhost:{PORT}",
    "CANAILLE": {
        "DATABASE": "memory",
        "JAVASCRIPT": False,
        "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
    },
    "CANAILLE_OIDC": {"ACTIVE_JWKS": [KEY.as_dict(private=True)]},
}

app = create_app(config=CONFIGURATION)
with app.app_context():
    ana = models.User(
        user_name="ana",
        formatted_name="Ana",
        family_name="Ana",
        emails=["ana@example.com"],
        password="a-password-of-ana",
    )
    Backend.instance.save(ana)
    service = models.Client(
        client_id="service",
        client_secret="secret-of-the-service",
        client_name="service",
        client_uri="https://service.example",
        redirect_uris=REDIRECT_URIS,
        grant_types=["authorization_code"],
        response_types=["code"],
        token_endpoint_auth_method="client_secret_basic",
        scope=["openid", "profile", "email"],
    )
    Backend.instance.save(service)
    service.audience = [service]
    Backend.instance.save(service)

server = make_server("127.0.0.1", PORT, app)
sys.stdout.write("ready\n")
sys.stdout.flush()
server.serve_forever()
