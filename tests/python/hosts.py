"""Where the tests get tokens: a managed-identity host in this process, and the emulated Azure."""

from __future__ import annotations

import json
import os
import shlex
import ssl
import subprocess
import threading
import time
import urllib.parse
import urllib.request
import uuid
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCOPE = "https://vault.azure.net/.default"


class IdentityHost:
    """A managed-identity endpoint in the manner of App Service that counts what it is asked."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.status = 200
        self.body: bytes | None = None
        self.lifetime = 86400
        self.open = threading.Event()
        self.open.set()
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.requests.append(self.path)
                host.open.wait(30)
                body = host.body if host.body is not None else host.token()
                # Some callers do not stay for the answer.
                with suppress(ConnectionError):
                    self.send_response(host.status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 1024

        self.server = Server(("127.0.0.1", 0), Handler)
        # The process keeps tokens by endpoint, and the system may give the port of an earlier host again: the path must
        # not be the same.
        self.variables = {
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{self.server.server_port}/{uuid.uuid4()}/msi/token",
            "IDENTITY_HEADER": "a-header",
        }
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def token(self) -> bytes:
        """Return an answer with a token that tells the number of the request."""
        answer = {
            "access_token": f"token-{len(self.requests)}",
            "expires_on": str(int(time.time()) + self.lifetime),
            "resource": "https://vault.azure.net",
            "token_type": "Bearer",
        }
        return json.dumps(answer).encode()

    def close(self) -> None:
        self.open.set()
        self.server.shutdown()
        self.server.server_close()


class Azure:
    """The emulated Azure, with a program's view of it."""

    def __init__(self, host: str, config: Path | None = None) -> None:
        command = os.environ.get("ENTRADA_COMMAND") or ROOT / "target/debug/entrada"
        world = [] if config is None else ["--config", str(config)]
        self.process = subprocess.Popen(
            [str(command), "emulate", "--quiet", "--host", host, *world], stdout=subprocess.PIPE, text=True
        )
        self.variables: dict[str, str] = {}
        assert self.process.stdout is not None
        for line in self.process.stdout:
            words = shlex.split(line)
            if words[:1] == ["export"]:
                name, _, value = words[1].partition("=")
                self.variables[name] = value
            # The variables are written last of all, and the key of the control endpoint last of them.
            if "ENTRADA_EMULATOR_KEY" in self.variables:
                break

    def control(self, method: str, path: str, body: object = None):
        """Ask the emulator's control endpoint."""
        request = urllib.request.Request(
            self.variables["ENTRADA_EMULATOR_URL"] + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"x-entrada-key": self.variables["ENTRADA_EMULATOR_KEY"]},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def entra(self, path: str, form: dict[str, str] | None = None):
        """Ask Entra as any program inside would, without following where it leads."""

        class Stay(urllib.request.HTTPRedirectHandler):
            def http_error_302(self, _request, answer, _code, _message, _headers):
                return answer

        outside = urllib.request.build_opener(
            urllib.request.ProxyHandler({"https": self.variables["HTTPS_PROXY"]}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.variables["SSL_CERT_FILE"])),
            Stay,
        )
        data = None if form is None else urllib.parse.urlencode(form).encode()
        url = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/{path}"
        return outside.open(url, data, timeout=10)

    def token(self, form: dict[str, str]) -> dict:
        """Return the answer of the token endpoint."""
        with self.entra("token", form) as answer:
            return json.load(answer)

    def authorize(self, parameters: dict[str, str]) -> dict[str, str]:
        """Return what the authorization endpoint sends a browser back with."""
        with self.entra(f"authorize?{urllib.parse.urlencode(parameters)}") as answer:
            back = urllib.parse.urlsplit(answer.headers["location"])
        return dict(urllib.parse.parse_qsl(back.query))

    def exchanges(self, *services: str) -> list[dict]:
        """Return what was exchanged with some services since the last reset."""
        journal = self.control("GET", "/journal")
        entries = journal if isinstance(journal, list) else journal["entries"]
        return [entry for entry in entries if entry["service"] in services]

    def identity_requests(self) -> list[dict]:
        """Return the requests to Entra and to managed-identity endpoints since the last reset."""
        others = ("gateway", "key-vault", "resource-manager", "blob", "graph")
        # A handshake that fails is written down, but nothing was requested.
        return [
            entry
            for entry in self.control("GET", "/journal")
            if entry["service"] not in others and entry["method"] != "CONNECT"
        ]

    def reset(self) -> None:
        """Forget exchanges, faults, and who signs in."""
        self.control("DELETE", "/sign-in")
        self.control("DELETE", "/journal")
        self.control("DELETE", "/faults")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()


#: Ids of the emulated world.
TENANT = "7e000000-0000-4000-8000-000000000001"
APP = "c1000000-0000-4000-8000-000000000001"
APP_SECRET = "orders-ci~fake.secret"
#: Begins a program that changes the emulated world: `control` asks its control endpoint.
CONTROL = """
import json, os, urllib.request

def control(method, path, body=None):
    request = urllib.request.Request(
        os.environ["ENTRADA_EMULATOR_URL"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"x-entrada-key": os.environ["ENTRADA_EMULATOR_KEY"]},
    )
    answer = urllib.request.urlopen(request).read()
    return json.loads(answer) if answer else None
"""
#: Begins a program that is run with both faces: `make` constructs a credential of the face, `ask` gets a token from it.
FACE = (
    CONTROL
    + """
import asyncio, importlib, json, logging, os, sys, threading
import entrada, entrada.aio
from azure.core.exceptions import ClientAuthenticationError

logging.disable()
VAULT, STORAGE = "https://vault.azure.net/.default", "https://storage.azure.com/.default"
TENANT, APP = "7e000000-0000-4000-8000-000000000001", "c1000000-0000-4000-8000-000000000001"
face = importlib.import_module(sys.argv[1])

def make(name, *arguments, **options):
    return getattr(face, name)(*arguments, **options)

def finished(outcome):
    async def wait():
        return await outcome
    return asyncio.run(wait()) if hasattr(outcome, "__await__") else outcome

def ask(credential, *scopes, **options):
    return finished(credential.get_token(*(scopes or (VAULT,)), **options))

def raised(kind, credential, *scopes, **options):
    try:
        ask(credential, *scopes, **options)
    except kind as error:
        assert isinstance(error, kind), type(error)
        return error
    raise SystemExit("nothing was raised")

def claims(token):
    import base64
    payload = token.token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
"""
)
