"""Apps that prove who they are with a certificate, or that somebody vouches for, in the emulated Azure."""

import pytest

CERTIFICATES = {
    "a file": "os.environ['ENTRADA_EMULATOR_CERTIFICATE']",
    "an encrypted file": "os.environ['ENTRADA_EMULATOR_CERTIFICATE_ENCRYPTED'], password=password",
    "with the password as bytes": "os.environ['ENTRADA_EMULATOR_CERTIFICATE_ENCRYPTED'], password=password.encode()",
    "PKCS#12": "os.environ['ENTRADA_EMULATOR_CERTIFICATE_PFX'], password=password",
    "PKCS#12 as bytes": "certificate_data=data('ENTRADA_EMULATOR_CERTIFICATE_PFX'), password=password",
    "bytes": "certificate_data=data('ENTRADA_EMULATOR_CERTIFICATE')",
    "with its chain": "os.environ['ENTRADA_EMULATOR_CERTIFICATE'], send_certificate_chain=True",
    "with the other algorithm": "os.environ['ENTRADA_EMULATOR_CERTIFICATE'], algorithm='RS256'",
}
CERTIFICATE = """
password = os.environ["ENTRADA_EMULATOR_CERTIFICATE_PASSWORD"]
def data(name):
    with open(os.environ[name], "rb") as file:
        return file.read()
"""


@pytest.mark.parametrize("how", CERTIFICATES)
def test_a_certificate(azures, play, how):
    azure = azures("laptop")
    program = f"credential = make('CertificateCredential', TENANT, APP, {CERTIFICATES[how]})"
    play(azure, f"{CERTIFICATE}{program}\nassert ask(credential) is ask(credential)\n")
    assert len(azure.exchanges("entra")) == 1


def test_certificates_that_cannot_be_right_are_refused_before_anything_is_sent(azures, play, tmp_path):
    azure = azures("laptop")
    (tmp_path / "nonsense.pem").write_text("nonsense")
    play(
        azure,
        CERTIFICATE
        + """
import pickle
def refuses(kind, words, *arguments, **options):
    try:
        make("CertificateCredential", TENANT, APP, *arguments, **options)
    except kind as error:
        assert words in str(error), error
        assert password not in str(error)
        return
    raise SystemExit(f"{arguments} {options} were taken")

pem, encrypted = os.environ["ENTRADA_EMULATOR_CERTIFICATE"], os.environ["ENTRADA_EMULATOR_CERTIFICATE_ENCRYPTED"]
refuses(FileNotFoundError, "nowhere.pem", "nowhere.pem")
refuses(IsADirectoryError, "", os.path.dirname(pem))
refuses(ValueError, 'either "certificate_path" or "certificate_data", not both', pem, certificate_data=b"x")
refuses(ValueError, 'requires a value for either "certificate_path" or "certificate_data"')
refuses(ValueError, "password", encrypted)
refuses(ValueError, "password", encrypted, password="wrong")
refuses(ValueError, "", os.environ["NONSENSE"])
refuses(ValueError, "", certificate_data=b"nonsense")
refuses(ValueError, "use PS256", pem, algorithm="HS256")
refuses(TypeError, "certificate_data is bytes", certificate_data="nonsense")
refuses(TypeError, "signer has no algorithm", signer=object())

# Its file is what it is pickled as, and its bytes where it has none.
credential = pickle.loads(pickle.dumps(make("CertificateCredential", TENANT, APP, pem)))
assert ask(credential)
""",
        NONSENSE=str(tmp_path / "nonsense.pem"),
    )
    assert len(azure.exchanges("entra")) == 1


SIGNER = """
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

with open(os.environ["ENTRADA_EMULATOR_CERTIFICATE"], "rb") as file:
    pem = file.read()
key = serialization.load_pem_private_key(pem, None)
certificate = x509.load_pem_x509_certificate(pem)
threads = []

class Vault:
    algorithm = "PS256"
    certificate = certificate.public_bytes(serialization.Encoding.DER)

    def sign(self, data):
        threads.append(threading.current_thread())
        return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())

class Later(Vault):
    async def certificate(self):
        await asyncio.sleep(0)
        return [certificate.public_bytes(serialization.Encoding.PEM)]

    async def sign(self, data):
        await asyncio.sleep(0)
        return super().sign(data)
"""


def test_a_key_that_never_leaves_its_vault(azures, play):
    azure = azures("laptop")
    play(
        azure,
        SIGNER
        + """
for signer in (Vault(), Later()):
    credential = make("CertificateCredential", TENANT, APP, signer=signer)
    assert ask(credential) is ask(credential)
assert len(threads) == 2

class Broken(Vault):
    def sign(self, data):
        raise error
error = OSError("the vault is sealed")
assert raised(OSError, make("CertificateCredential", TENANT, APP, signer=Broken())) is error

class Wrong(Vault):
    def sign(self, data):
        return b"wrong"
assert "signature" in str(raised(ClientAuthenticationError, make("CertificateCredential", TENANT, APP, signer=Wrong())))

class Text(Vault):
    def sign(self, data):
        return "text"
assert "signer.sign returned" in str(raised(TypeError, make("CertificateCredential", TENANT, APP, signer=Text())))
""",
    )
    assert len(azure.exchanges("entra")) == 2, "what is wrong is not sent"


def test_the_environment_names_a_certificate(azures, play):
    azure = azures("laptop")
    variables = azure.variables
    play(
        azure,
        "assert ask(make('EnvironmentCredential')) and ask(make('DefaultAzureCredential'))",
        AZURE_TENANT_ID="7e000000-0000-4000-8000-000000000001",
        AZURE_CLIENT_ID="c1000000-0000-4000-8000-000000000001",
        AZURE_CLIENT_CERTIFICATE_PATH=variables["ENTRADA_EMULATOR_CERTIFICATE_PFX"],
        AZURE_CLIENT_CERTIFICATE_PASSWORD=variables["ENTRADA_EMULATOR_CERTIFICATE_PASSWORD"],
        AZURE_CLIENT_SEND_CERTIFICATE_CHAIN="true",
    )


def test_a_job_of_github_actions(azures, play):
    azure = azures("github-actions")
    play(
        azure,
        """
import pickle
credential = make("GitHubActionsCredential")
assert ask(credential) is ask(credential)
assert ask(pickle.loads(pickle.dumps(credential)), STORAGE)
error = raised(ClientAuthenticationError, make("GitHubActionsCredential", audience="api://other"))
assert "AADSTS" in str(error), error
assert os.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] not in str(error)
""",
    )
    assert len(azure.exchanges("entra")) == 3


def test_outside_of_a_job_it_is_unavailable(azures, play):
    play(
        azures("laptop"),
        """
error = raised(entrada.CredentialUnavailableError, make("GitHubActionsCredential", tenant_id=TENANT, client_id=APP))
assert "id-token: write" in str(error)
error = raised(entrada.CredentialUnavailableError, make("AzurePipelinesCredential"))
assert "SYSTEM_ACCESSTOKEN" in str(error)
error = raised(entrada.CredentialUnavailableError, make("AzurePipelinesCredential", tenant_id=TENANT, client_id=APP,
    service_connection_id="s", system_access_token="hunter2"))
assert "SYSTEM_OIDCREQUESTURI" in str(error) and "hunter2" not in str(error)
""",
    )


def test_a_job_of_azure_pipelines(azures, play):
    azure = azures("azure-pipelines")
    play(
        azure,
        """
assert ask(make("AzurePipelinesCredential"))
names = {"tenant_id": "TENANT_ID", "client_id": "CLIENT_ID", "service_connection_id": "SERVICE_CONNECTION_ID"}
given = {name: os.environ["AZURESUBSCRIPTION_" + variable] for name, variable in names.items()}
assert ask(make("AzurePipelinesCredential", **given, system_access_token=os.environ["SYSTEM_ACCESSTOKEN"]), STORAGE)
error = raised(ClientAuthenticationError, make("AzurePipelinesCredential", **given, system_access_token="hunter2"))
assert "System.AccessToken" in str(error) and "hunter2" not in str(error), error
for missing in given:
    try:
        make("AzurePipelinesCredential", **{**given, missing: ""}, system_access_token="hunter2")
    except ValueError as error:
        assert repr(missing) in str(error) and "hunter2" not in str(error), error
        frame = error.__traceback__.tb_next
        while frame:
            assert "hunter2" not in repr(frame.tb_frame.f_locals) or frame.tb_frame.f_code.co_name == "make"
            frame = frame.tb_next
    else:
        raise SystemExit("nothing was raised")
""",
    )


def test_a_pod(azures, play):
    azure = azures("kubernetes")
    play(
        azure,
        """
given = {name: os.environ["AZURE_" + name.upper()] for name in ("tenant_id", "client_id")}
assert ask(make("WorkloadIdentityCredential")) is ask(make("WorkloadIdentityCredential", **given))
file = os.environ.pop("AZURE_FEDERATED_TOKEN_FILE")
assert ask(make("WorkloadIdentityCredential", token_file_path=file), STORAGE)
try:
    make("WorkloadIdentityCredential", client_id=APP)
except ValueError as error:
    assert "Missing required arguments: 'token_file_path'" in str(error), error
else:
    raise SystemExit("nothing was raised")
""",
    )


def test_a_pod_with_an_identity_binding(azures, play):
    azure = azures("kubernetes-identity-binding")
    play(
        azure,
        """
assert ask(make("WorkloadIdentityCredential"))
assert ask(make("WorkloadIdentityCredential", enable_azure_proxy=True), STORAGE)
assert "AADSTS" in str(raised(ClientAuthenticationError, make("WorkloadIdentityCredential", enable_azure_proxy=False)))
os.environ["AZURE_KUBERNETES_CA_DATA"] = "both"
try:
    make("WorkloadIdentityCredential", enable_azure_proxy=True)
except ValueError as error:
    assert "AZURE_KUBERNETES_CA_DATA" in str(error), error
else:
    raise SystemExit("nothing was raised")
""",
    )


def test_a_managed_identity_that_vouches_for_an_app(azures, play):
    azure = azures("vm")
    play(
        azure,
        """
identity = entrada.ManagedIdentityAssertion(client_id="c1000000-0000-4000-8000-000000000005")
credential = make("ClientAssertionCredential", TENANT, APP, identity)
assert claims(ask(credential))["appid"] == APP
other = entrada.ManagedIdentityAssertion(object_id="0b000000-0000-4000-8000-000000000005")
assert ask(make("ClientAssertionCredential", TENANT, APP, other), STORAGE)
error = raised(ClientAuthenticationError, make(
    "ClientAssertionCredential", TENANT, APP,
    entrada.ManagedIdentityAssertion(client_id="c1000000-0000-4000-8000-000000000006"),
))
assert "AADSTS" in str(error), error
""",
    )


def test_ready_made_sources(azures, play):
    azure = azures("kubernetes")
    play(
        azure,
        """
import pickle
from http.server import BaseHTTPRequestHandler, HTTPServer

APP = os.environ["AZURE_CLIENT_ID"]
with open(os.environ["AZURE_FEDERATED_TOKEN_FILE"]) as file:
    jwt = os.environ["JOB_TOKEN"] = file.read()

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"data": {"token": jwt}}).encode() if self.headers["X-Secret"] == "hunter2" else b"{}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/token"
program = "import os; print(os.environ['JOB_TOKEN'])"
sources = [
    entrada.EnvironmentAssertion("JOB_TOKEN"),
    entrada.FileAssertion(os.environ["AZURE_FEDERATED_TOKEN_FILE"]),
    entrada.UrlAssertion(url, headers={"X-Secret": "hunter2"}, json_pointer="/data/token"),
    entrada.CommandAssertion("/bin/cat", os.environ["AZURE_FEDERATED_TOKEN_FILE"], timeout=20),
]
for source in sources:
    credential = pickle.loads(pickle.dumps(make("ClientAssertionCredential", TENANT, APP, source)))
    assert ask(credential) is ask(make("ClientAssertionCredential", TENANT, APP, source))
error = raised(ClientAuthenticationError, make("ClientAssertionCredential", TENANT, APP, entrada.UrlAssertion(url)))
assert "JSON" in str(error), error
nowhere = make("ClientAssertionCredential", TENANT, APP, entrada.FileAssertion("/no/where"))
error = raised(ClientAuthenticationError, nowhere)
assert "/no/where" in str(error), error
for wrong in (
    lambda: entrada.UrlAssertion("http://example.com/token"),
    lambda: entrada.UrlAssertion(url, json_pointer="token"),
    lambda: entrada.CommandAssertion("./here"),
    lambda: entrada.ManagedIdentityAssertion(client_id="no guid"),
    lambda: entrada.ManagedIdentityAssertion(),
):
    try:
        make("ClientAssertionCredential", TENANT, APP, wrong())
    except ValueError:
        continue
    raise SystemExit("nothing was raised")
""",
    )
