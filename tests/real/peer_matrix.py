"""What comes of each way to name an identity, on each host, with each library; and why, where a document differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

KINDS = ("none", "client id", "object id", "resource id")

#: The columns: the libraries, as they are called in `docs/peers.md`.
PEERS = {"sync": "Python", "aio": "Python, async", "js": "JavaScript", "entrada": "entrada"}
OTHERS = ("sync", "aio", "js")

# Whose a token can be.
OWN, NAMED, SYSTEM = "own", "named", "system-assigned"


@dataclass(frozen=True)
class Row:
    """A host, and the credential that a program uses there."""

    host: str
    #: Number of the principal that the host gives to those who name none.
    own: int
    #: The ways to name an identity that the host documents.
    documented: tuple[str, ...] = KINDS
    credential: str = "ManagedIdentityCredential"
    peers: tuple[str, ...] = tuple(PEERS)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The ways to name an identity that the credential has."""
        return KINDS if self.credential == "ManagedIdentityCredential" else KINDS[:2]

    @property
    def label(self) -> str:
        return self.host if self.credential == "ManagedIdentityCredential" else f"{self.host}, {self.credential}"


ROWS = [
    Row("app-service", 3),
    Row("app-service-legacy", 3, documented=("none", "client id")),
    Row("container-app", 20),
    Row("service-fabric", 21, documented=("none",)),
    Row("azure-arc", 22),
    Row("azure-ml", 6, documented=("none", "client id")),
    Row("cloud-shell", 7, documented=("none",)),
    Row("virtual-machine", 4),
    Row("container-instance", 24),
    Row("kubernetes", 6, documented=("none", "client id")),
    Row("kubernetes-identity-binding", 6, documented=("none", "client id")),
    # entrada's ManagedIdentityCredential asks the proxy of its own accord.
    Row(
        "kubernetes-identity-binding",
        6,
        documented=("none", "client id"),
        credential="WorkloadIdentityCredential",
        peers=OTHERS,
    ),
]


@dataclass(frozen=True)
class Token:
    """A token of one of the principals."""

    of: str
    #: Whether the caller is told when the token ends.
    ends: bool = True
    #: A parameter that must have been sent.
    parameter: str | None = None

    def __str__(self) -> str:
        return self.of if self.ends else f"{self.of}, without an end"


@dataclass(frozen=True)
class Refusal:
    """An exception, and a pattern that its message has."""

    error: str
    pattern: str

    def __str__(self) -> str:
        return "refused"


CLOUD_SHELL = "client_id should not be set for cloud shell|identity_config must not contain the following keys"

#: How a library refuses a way to name an identity that the host does not have.
REFUSALS = {
    ("service-fabric", "sync"): Refusal("ClientAuthenticationError", "not supported by the Service Fabric"),
    ("service-fabric", "aio"): Refusal("ClientAuthenticationError", "not supported by the Service Fabric"),
    ("service-fabric", "js"): Refusal("CredentialUnavailableError", "not supported by the Service Fabric"),
    ("cloud-shell", "sync"): Refusal("ValueError", CLOUD_SHELL),
    ("cloud-shell", "aio"): Refusal("ValueError", CLOUD_SHELL),
    ("cloud-shell", "js"): Refusal("CredentialUnavailableError", "is not supported for CloudShell"),
    ("azure-ml", "js"): Refusal("CredentialUnavailableError", "Only client id is supported"),
    ("app-service-legacy", "js"): Refusal("CredentialUnavailableError", "Only client id is supported"),
}
OWN_REFUSAL = Refusal("CredentialUnavailableError", "cannot be asked for the user-assigned identity")


@dataclass(frozen=True)
class Difference:
    """Something a library does in another way than the document says."""

    about: str
    #: The document that decides.
    document: str
    #: Hosts, libraries, ways to name an identity, and what comes of them.
    cells: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], Token | Refusal], ...]
    credential: str = "ManagedIdentityCredential"

    def outcome(self, row: Row, peer: str, kind: str) -> Token | Refusal | None:
        if row.credential != self.credential:
            return None
        for hosts, peers, kinds, outcome in self.cells:
            if row.host in hosts and peer in peers and kind in kinds:
                return outcome
        return None


APP_SERVICE = "https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference"
SERVICE_FABRIC = "https://learn.microsoft.com/azure/service-fabric/how-to-managed-identity-service-fabric-app-code"
IDENTITY_BINDING = (
    "https://learn.microsoft.com/azure/aks/workload-identity-overview"
    "#use-identity-bindings-and-direct-federation-in-the-same-workload"
)
NOT_FOR_ENTRA = "AADSTS700212"

DIFFERENCES = [
    Difference(
        "Python, async, sends a resource id as `resource_id`. App Service and Container Apps call the parameter"
        " `mi_res_id`, the metadata service `msi_res_id`. The emulator ignores a parameter that they do not have, for"
        " no document says that they refuse it: the program gets a token of the system-assigned identity in place of"
        " the one that it named, and is not told.",
        f"[App Service, REST endpoint reference]({APP_SERVICE}); [managed identities on a virtual machine]"
        "(https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token"
        "#get-a-token-using-http)",
        (
            (
                ("app-service", "container-app", "virtual-machine", "container-instance"),
                ("aio",),
                ("resource id",),
                Token(OWN, parameter="resource_id"),
            ),
        ),
    ),
    Difference(
        "The protocol of 2017-09-01 takes nothing but `clientid`. Python sends an object id and a resource id all the"
        " same, in parameters that the endpoint does not know: the program gets a token of another identity than it"
        " named. JavaScript and entrada refuse.",
        f"[App Service, REST endpoint reference]({APP_SERVICE}), where it speaks of the API version 2017-09-01",
        (
            (("azure-ml",), ("sync",), ("object id",), Token(SYSTEM, parameter="object_id")),
            (("azure-ml",), ("sync",), ("resource id",), Token(SYSTEM, parameter="msi_res_id")),
            (("azure-ml",), ("aio",), ("object id",), Token(SYSTEM, parameter="object_id")),
            (("azure-ml",), ("aio",), ("resource id",), Token(SYSTEM, parameter="resource_id")),
            (("app-service-legacy",), ("aio",), ("object id",), Token(OWN, parameter="object_id")),
            (("app-service-legacy",), ("aio",), ("resource id",), Token(OWN, parameter="resource_id")),
        ),
    ),
    Difference(
        "App Service's endpoint of 2017-09-01 writes `expires_on` as a date (`11/26/2026 02:47:33 +00:00`). All"
        " libraries but entrada take this host for Azure Machine Learning, which writes seconds, and Python ends with a"
        " `ValueError` of `int()`.",
        f"[App Service, REST endpoint reference]({APP_SERVICE}): 2017-09-01 has `expires_on` in a timestamp format",
        ((("app-service-legacy",), ("sync",), KINDS, Refusal("ValueError", r"invalid literal for int\(\)")),),
    ),
    Difference(
        "The same date is not a number to JavaScript: the token comes with an `expiresOnTimestamp` that is NaN.",
        f"[App Service, REST endpoint reference]({APP_SERVICE}), as above",
        (
            (("app-service-legacy",), ("js",), ("none",), Token(OWN, ends=False)),
            (("app-service-legacy",), ("js",), ("client id",), Token(NAMED, ends=False)),
        ),
    ),
    Difference(
        "A compute of Azure Machine Learning says in `DEFAULT_IDENTITY_CLIENT_ID` which of its identities is meant when"
        " none is named. JavaScript and entrada ask for that one. Python does not look at the variable, and gets a"
        " token of the system-assigned identity where there is one; a program has to hand the variable on.",
        "[Service authentication in Azure Machine Learning](https://learn.microsoft.com/azure/machine-learning/"
        "how-to-identity-based-service-authentication#compute-cluster), whose examples hand it on",
        ((("azure-ml",), ("sync", "aio"), ("none",), Token(SYSTEM)),),
    ),
    Difference(
        "Service Fabric's endpoint shows a certificate that nobody has signed, and that is known by the thumbprint in"
        " `IDENTITY_SERVER_THUMBPRINT`. JavaScript does not look at it, and the connection fails. With"
        " `NODE_TLS_REJECT_UNAUTHORIZED=0` it gets its token, from whoever answers.",
        f"[Managed identity in the code of a Service Fabric application]({SERVICE_FABRIC})",
        ((("service-fabric",), ("js",), ("none",), Refusal("CredentialUnavailableError", "network_error")),),
    ),
    Difference(
        "Python, async, does not look at the thumbprint either, and does not verify the certificate at all: it hands"
        " the secret of the application to whoever answers. Python, sync, and entrada send nothing to an endpoint with"
        " another certificate.",
        f"[Managed identity in the code of a Service Fabric application]({SERVICE_FABRIC})",
        ((("service-fabric",), ("aio",), ("none",), Token(OWN)),),
    ),
    Difference(
        "A request to Entra can name an identity by its client id only. To Python and JavaScript an object id or a"
        " resource id says nothing on Kubernetes: the program gets a token of the identity in `AZURE_CLIENT_ID`, and is"
        " not told. entrada refuses.",
        "[Client credentials flow, with a federated credential](https://learn.microsoft.com/entra/identity-platform/"
        "v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential)",
        ((("kubernetes",), OTHERS, ("object id", "resource id"), Token(OWN)),),
    ),
    Difference(
        "Under an identity binding the token in `AZURE_FEDERATED_TOKEN_FILE` is for the cluster's token proxy. The"
        " `ManagedIdentityCredential` of Python and JavaScript shows it to Entra, which refuses it with AADSTS700212;"
        " `WorkloadIdentityCredential(enable_azure_proxy=True)` is meant for this. entrada's"
        " `ManagedIdentityCredential` asks the proxy.",
        f"[Identity bindings and direct federation in the same workload]({IDENTITY_BINDING})",
        (
            (
                ("kubernetes-identity-binding",),
                ("sync", "aio"),
                KINDS,
                Refusal("ClientAuthenticationError", NOT_FOR_ENTRA),
            ),
            (("kubernetes-identity-binding",), ("js",), KINDS, Refusal("AuthenticationRequiredError", NOT_FOR_ENTRA)),
        ),
    ),
    Difference(
        "The last version of JavaScript for Node.js 20 does not know the proxy, and shows the token to Entra. Later"
        " ones need Node.js 22, and have `enableAzureProxy`.",
        f"[Identity bindings and direct federation in the same workload]({IDENTITY_BINDING})",
        (
            (
                ("kubernetes-identity-binding",),
                ("js",),
                ("none", "client id"),
                Refusal("AuthenticationRequiredError", NOT_FOR_ENTRA),
            ),
        ),
        credential="WorkloadIdentityCredential",
    ),
]


def expected(row: Row, peer: str, kind: str) -> tuple[Token | Refusal, int | None]:
    """What comes of it, and the number of the difference that explains it."""
    for number, difference in enumerate(DIFFERENCES, 1):
        outcome = difference.outcome(row, peer, kind)
        if outcome is not None:
            return outcome, number
    if kind in row.documented:
        return Token(OWN if kind == "none" else NAMED), None
    return (OWN_REFUSAL if peer == "entrada" else REFUSALS[row.host, peer]), None


def page() -> str:
    """The generated part of `docs/peers.md`."""
    return "\n".join([*_tables(), *_refusals(), "## Differences", "", *_differences()])


def _tables() -> Iterator[str]:
    titles = {"none": "No identity named", "client id": "A client id", "object id": "An object id"}
    for kind in KINDS:
        yield f"### {titles.get(kind, 'A resource id')}\n"
        yield f"| | {' | '.join(PEERS.values())} |"
        yield f"|---|{'---|' * len(PEERS)}"
        for row in ROWS:
            if kind in row.kinds:
                yield f"| {row.label} | {' | '.join(_cell(row, peer, kind) for peer in PEERS)} |"
        yield ""


def _cell(row: Row, peer: str, kind: str) -> str:
    if peer not in row.peers:
        return "\N{EN DASH}"
    outcome, number = expected(row, peer, kind)
    return str(outcome) if number is None else f"{outcome} ({number})"


def _refusals() -> Iterator[str]:
    yield "### How they refuse what the host does not have\n"
    yield f"| | {' | '.join(PEERS.values())} |"
    yield f"|---|{'---|' * len(PEERS)}"
    for row in ROWS:
        if set(row.kinds) > set(row.documented):
            kind = row.kinds[-1]
            each = [_exception(*expected(row, peer, kind)) for peer in PEERS]
            yield f"| {row.label} | {' | '.join(each)} |"
    yield ""


def _exception(outcome: Token | Refusal, number: int | None) -> str:
    return f"`{outcome.error}`" if isinstance(outcome, Refusal) and number is None else f"see {number}"


def _differences() -> Iterator[str]:
    for number, difference in enumerate(DIFFERENCES, 1):
        yield f"{number}. {difference.about}\n    *Decided by:* {difference.document}."
    yield ""
