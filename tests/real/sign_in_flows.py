"""The flows by which azure-identity signs in: whose the tokens are, what is asked for, and where libraries differ."""

from __future__ import annotations

from dataclasses import dataclass, field

#: The libraries. The last one is entrada by its own name: azure-identity's `aio` has no credentials for people.
PEERS = ("sync", "aio", "js", "entrada", "entrada-aio", "entrada.aio")
APPS_PEERS, PEOPLE_PEERS = PEERS[:5], ("sync", "js", "entrada", "entrada.aio")

# Numbers of object ids and client ids.
ORDERS, IDENTITY, ADA, API, TOOL, PORTAL, CHAINED = "01", "05", "07", "09", "14", "15", "a1"

# Requests that give no token.
DISCOVERY, INSTANCE, REALM, CODE = "openid-configuration", "discovery/instance", "userrealm", "devicecode"
AUTHORIZE, OIDC, PENDING = "authorize", "oidctoken", "AADSTS70016"
APP, BEHALF, AGAIN = "client_credentials", "on_behalf_of", "refresh_token"


@dataclass(frozen=True)
class Flow:
    """A flow, and what entrada does; the others do the same unless DIFFERENCES says otherwise."""

    name: str
    kinds: tuple[str, ...]
    #: What each credential object asks.
    asked: tuple[tuple[str, ...], ...]
    user: str = ORDERS
    app: str = ORDERS
    gives: str = "nothing"
    host: str = "laptop"
    peers: tuple[str, ...] = APPS_PEERS
    #: Kinds with another principal, which is its own app.
    others: dict[str, str] = field(default_factory=dict)
    #: Kinds whose token is for Resource Manager, not for Key Vault.
    management: tuple[str, ...] = ()
    #: Kinds that are refused, and how.
    refused: dict[str, str] = field(default_factory=dict)


# One sign-in, once more the same, another resource, and a token that has to be new.
PEOPLE_KINDS = ("first", "again", "other resource", "claims")


def person(name: str, *asked: str, app: str = TOOL, **more: object) -> Flow:
    more = {"peers": PEOPLE_PEERS, **more}
    return Flow(name, PEOPLE_KINDS, ((*asked, AGAIN, AGAIN),), ADA, app, management=("other resource",), **more)


FLOWS = [
    Flow("secret", ("secret",), ((APP,),)),
    Flow("certificate", ("pem", "encrypted", "pfx", "chain"), ((APP,),) * 4, others={"chain": CHAINED}),
    Flow("environment", ("certificate",), ((APP,),)),
    Flow("assertion", ("function",), ((APP,),), gives="assertion"),
    Flow("workload", ("file",), ((APP,),), user=IDENTITY, app=IDENTITY, host="kubernetes"),
    Flow("pipelines", ("service connection",), ((OIDC, APP),), host="azure-pipelines"),
    Flow(
        "on-behalf-of",
        ("secret", "certificate", "assertion"),
        ((BEHALF,),) * 3,
        user=ADA,
        app=API,
        gives="user-assertion",
    ),
    person("code", "authorization_code", app=PORTAL, gives="code", peers=APPS_PEERS),
    person("device", CODE, PENDING, "device_code"),
    person("browser", AUTHORIZE, "authorization_code"),
    person("password", REALM, "password"),
    Flow(
        "record",
        ("before", "after", "other resource", "record", "another object"),
        ((CODE, PENDING, "device_code", AGAIN), ()),
        user=ADA,
        app=TOOL,
        peers=PEOPLE_PEERS,
        management=("other resource",),
        refused={"before": "AuthenticationRequiredError"},
    ),
]


@dataclass(frozen=True)
class Difference:
    """Where a library does not do as entrada does."""

    why: str
    asked: tuple[tuple[str, ...], ...] | None = None
    #: Kinds that the library does not have.
    lacks: tuple[str, ...] = ()
    #: Kinds that it refuses: the error, and a part of what it says.
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)


def discovered(flow: str) -> tuple[tuple[str, ...], ...]:
    """What is asked when each credential asks first where the endpoints are."""
    (found,) = (each for each in FLOWS if each.name == flow)
    return tuple((DISCOVERY, *asked) for asked in found.asked)


MSAL = "MSAL for Python asks each time where the token endpoint of Entra is, which never changes"
UNSHARED = "tokens belong to one object; with the record and no cache on disk, another one has nothing to go on with"
REQUIRED = ("AuthenticationRequiredError", "uthenticat")
DIFFERENCES = {
    **{
        (flow, "sync"): Difference(MSAL, discovered(flow))
        for flow in ("secret", "certificate", "environment", "on-behalf-of", "device", "browser", "password")
    },
    ("certificate", "aio"): Difference(
        "it takes `send_certificate_chain` and sends none, so an app that is known by name only is not recognised",
        ((APP,), (APP,), (APP,), ("AADSTS700027",)),
        refused={"chain": ("ClientAuthenticationError", "AADSTS700027")},
    ),
    ("certificate", "js"): Difference("it reads PEM only", ((APP,),) * 3, lacks=("pfx",)),
    ("pipelines", "js"): Difference(
        "MSAL wants the assertion before it looks into its cache, and again when it sends it", ((OIDC, OIDC, APP),)
    ),
    **{
        ("code", peer): Difference(
            "its cache knows the refresh token for the first resource only, and a code is good once",
            (("authorization_code", AGAIN),),
            refused={"other resource": ("ClientAuthenticationError", "No authorization code")},
        )
        for peer in ("sync", "aio")
    },
    ("password", "js"): Difference(
        "it sends the password without asking whether the user's realm is federated", (("password", AGAIN, AGAIN),)
    ),
    ("record", "sync"): Difference(
        f"{MSAL}; {UNSHARED}, which it finds out after two requests",
        ((DISCOVERY, CODE, PENDING, "device_code", AGAIN), (DISCOVERY, INSTANCE)),
        refused={"another object": REQUIRED},
    ),
    ("record", "js"): Difference(UNSHARED, refused={"another object": REQUIRED}),
}
