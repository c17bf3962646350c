"""A web app that sends people to sign in by itself, and gets an authorization code.

It is as small as can be, and takes one request.
"""

import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from azure.identity import AuthorizationCodeCredential
from azure.keyvault.secrets import SecretClient

TENANT_ID = "7e000000-0000-4000-8000-000000000001"
CLIENT_ID = "c1000000-0000-4000-8000-000000000014"


class App(BaseHTTPRequestHandler):
    code = ""

    def do_GET(self) -> None:
        App.code = parse_qs(urlsplit(self.path).query)["code"][0]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Welcome.\n")

    def log_request(self, *_: object) -> None:
        """Do not log: the line holds the code."""


server = HTTPServer(("127.0.0.1", 0), App)
redirect_uri = f"http://localhost:{server.server_port}"
query = urlencode(
    {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": "offline_access https://vault.azure.net/.default",
    }
)
# A web app answers with a redirect; this one has the browser opened.
webbrowser.open(f"https://login.microsoftonline.com/{TENANT_ID}/oauth2/v2.0/authorize?{query}")
server.handle_request()

credential = AuthorizationCodeCredential(TENANT_ID, CLIENT_ID, App.code, redirect_uri)
client = SecretClient("https://contoso-vault.vault.azure.net", credential)
print("read", client.get_secret("database-password").name)
