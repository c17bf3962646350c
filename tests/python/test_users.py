"""People who sign in, in the emulated Azure."""

import asyncio
import sys
import warnings

import entrada
import entrada.aio
import pytest

from hosts import SCOPE

ADA = "ada@contoso.onmicrosoft.com"
CLI = "c1000000-0000-4000-8000-000000000014"
BOTH = pytest.mark.parametrize("module", [entrada, entrada.aio])

PEOPLE = """
import pickle, warnings
from datetime import datetime, timezone
warnings.simplefilter("ignore", DeprecationWarning)
ADA, CLI = "ada@contoso.onmicrosoft.com", "c1000000-0000-4000-8000-000000000014"
GRAPH = "https://graph.microsoft.com/User.Read"
COMMON = {"client_id": CLI, "tenant_id": TENANT}

prompts = []
def prompt(verification_uri, user_code, expires_on):
    assert verification_uri.startswith("https://") and len(user_code) > 5
    assert expires_on.tzinfo is timezone.utc and expires_on > datetime.now(timezone.utc)
    prompts.append(user_code)

def approve(verification_uri, user_code, expires_on):
    prompt(verification_uri, user_code, expires_on)
    control("PUT", "/device-codes", {"user_code": user_code, "user": ADA})

def decline(verification_uri, user_code, expires_on):
    control("DELETE", "/device-codes", {"user_code": user_code})

def authenticate(credential, **options):
    return finished(credential.authenticate(**options))
"""


@pytest.fixture
def play_people(play):
    return lambda azure, program, **variables: play(azure, PEOPLE + program, **variables)


def test_a_device_code(azures, play_people):
    play_people(
        azures("laptop"),
        """
credential = make("DeviceCodeCredential", CLI, tenant_id=TENANT, prompt_callback=approve)
token = ask(credential, GRAPH)
assert claims(token)["upn" if "upn" in claims(token) else "preferred_username"] == ADA
assert ask(credential, GRAPH) is token
# Another resource takes no other question.
assert ask(credential, VAULT) != token
assert len(prompts) == 1

# Whoever gets in for a cached token gets another once the sessions have ended.
control("DELETE", "/sessions", {"user": ADA})
assert ask(credential, STORAGE) and len(prompts) == 2
""",
    )


def test_a_device_code_prompt_may_be_a_coroutine(azures, play_people):
    play_people(
        azures("laptop"),
        """
loops = []
async def later(*arguments):
    loops.append(asyncio.get_running_loop())
    await asyncio.sleep(0)
    approve(*arguments)

if face is entrada:
    assert ask(make("DeviceCodeCredential", **COMMON, prompt_callback=later), GRAPH)
else:
    async def main():
        credential = make("DeviceCodeCredential", **COMMON, prompt_callback=later)
        assert await credential.get_token(GRAPH)
        assert loops == [asyncio.get_running_loop()]
    asyncio.run(main())
""",
    )


def test_without_a_callback_the_message_is_printed_through_python(azures, play_people):
    play_people(
        azures("laptop"),
        """
import contextlib, io
control("PUT", "/sign-in", {"user": ADA})
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    assert ask(make("DeviceCodeCredential", **COMMON), GRAPH)
control("DELETE", "/sign-in")
assert "devicelogin" in printed.getvalue(), printed.getvalue()
""",
    )


def test_what_a_prompt_raises_and_what_a_person_declines(azures, play_people):
    play_people(
        azures("laptop"),
        """
class Mine(Exception): ...
error = Mine("no screen")
def broken(*_):
    raise error
assert raised(Mine, make("DeviceCodeCredential", **COMMON, prompt_callback=broken), GRAPH) is error
told = raised(ClientAuthenticationError, make("DeviceCodeCredential", **COMMON, prompt_callback=decline), GRAPH)
assert "declined" in str(told), told
late = make("DeviceCodeCredential", **COMMON, prompt_callback=prompt, timeout=1)
told = raised(ClientAuthenticationError, late, GRAPH)
assert "1 s" in str(told) or "in time" in str(told) or "imed out" in str(told), told
""",
    )


def test_who_must_not_be_asked_is_told_for_what_and_how(azures, play_people):
    play_people(
        azures("laptop"),
        """
credential = make("DeviceCodeCredential", **COMMON, prompt_callback=approve, disable_automatic_authentication=True)
error = raised(entrada.AuthenticationRequiredError, credential, GRAPH)
assert list(error.scopes) == [GRAPH] and error.claims is None and "authenticate" in error.message, error
demanded = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
error = raised(entrada.AuthenticationRequiredError, credential, GRAPH, claims=demanded)
assert json.loads(error.claims) == json.loads(demanded)
assert prompts == []

record = authenticate(credential, scopes=error.scopes)
assert type(record) is entrada.AuthenticationRecord and record.username == ADA and len(prompts) == 1
assert ask(credential, GRAPH) and ask(credential, VAULT)
# It always asks, unlike get_token.
assert authenticate(credential) and len(prompts) == 2

# The record is all it takes to go on silently, in this process.
again = entrada.AuthenticationRecord.deserialize(record.serialize())
silent = make(
    "DeviceCodeCredential", authentication_record=again, prompt_callback=prompt, disable_automatic_authentication=True
)
assert ask(silent, GRAPH) and ask(pickle.loads(pickle.dumps(make(
    "DeviceCodeCredential", authentication_record=again, disable_automatic_authentication=True))), VAULT)
assert len(prompts) == 2
""",
    )


def test_a_password(azures, play_people):
    play_people(
        azures("laptop"),
        """
credential = make("UsernamePasswordCredential", CLI, ADA, "ada~fake.password", tenant_id=TENANT)
assert ask(credential, GRAPH) is ask(credential, GRAPH)
assert authenticate(credential).username == ADA
wrong = make("UsernamePasswordCredential", CLI, ADA, "hunter2", tenant_id=TENANT)
error = raised(ClientAuthenticationError, wrong, GRAPH)
assert "AADSTS50126" in str(error) and "hunter2" not in str(error), error
needs_mfa = make(
    "UsernamePasswordCredential", CLI, "needs-mfa@contoso.onmicrosoft.com", "users~fake.password", tenant_id=TENANT
)
error = raised(ClientAuthenticationError, needs_mfa, GRAPH)
assert "AADSTS50076" in str(error) and "multifactor" in str(error).replace("multi-factor", "multifactor"), error
""",
    )


def test_the_environment_names_a_person(azures, play_people):
    play_people(
        azures("laptop"),
        "assert ask(make('EnvironmentCredential'), GRAPH)",
        AZURE_CLIENT_ID=CLI,
        AZURE_TENANT_ID="7e000000-0000-4000-8000-000000000001",
        AZURE_USERNAME=ADA,
        AZURE_PASSWORD="ada~fake.password",
    )


BROWSER = """
import html, re, urllib.parse, urllib.request
# Goes where a browser would go: to the page, and with what its form holds back to the program.
page = urllib.request.urlopen(sys.argv[1])
text = page.read().decode()
action = html.unescape(re.search(r'<form[^>]* action="([^"]*)"', text)[1])
fields = dict(re.findall(r'<input[^>]* name="([^"]*)" value="([^"]*)"', text))
fields = {name: html.unescape(value) for name, value in fields.items()}
urllib.request.urlopen(action, urllib.parse.urlencode(fields).encode()).read()
"""


@pytest.fixture
def browser(tmp_path):
    """Make a browser without a window."""

    def browser(program=BROWSER):
        path = tmp_path / "browser"
        path.write_text(f"#!{sys.executable}\nimport sys\n{program}")
        path.chmod(0o755)
        return {"BROWSER": str(path)}

    return browser


def test_a_browser(azures, play_people, browser):
    play_people(
        azures("laptop"),
        """
control("PUT", "/sign-in", {"user": ADA})
credential = make("InteractiveBrowserCredential", **COMMON)
token = ask(credential, GRAPH)
assert ask(credential, GRAPH) is token and ask(credential, VAULT)
record = authenticate(credential, scopes=[STORAGE])
assert record.username == ADA
silent = make("InteractiveBrowserCredential", authentication_record=record, disable_automatic_authentication=True)
assert ask(silent, STORAGE)
control("DELETE", "/sign-in")
""",
        **browser(),
    )


def test_a_person_who_closes_the_browser(azures, play_people, browser):
    play_people(
        azures("laptop"),
        """
error = raised(ClientAuthenticationError, make("InteractiveBrowserCredential", **COMMON, timeout=1), GRAPH)
assert "1 s" in str(error) or "imed out" in str(error) or "in time" in str(error), error
""",
        **browser("pass\n"),
    )


def test_no_browser_is_unavailable_and_says_what_else_there_is(azures, play_people, tmp_path):
    play_people(
        azures("laptop"),
        """
for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
    os.environ.pop(name, None)
error = raised(entrada.CredentialUnavailableError, make("InteractiveBrowserCredential", **COMMON), GRAPH)
assert "DeviceCodeCredential" in str(error), error
""",
        BROWSER=str(tmp_path / "nowhere"),
        PATH=str(tmp_path),
    )


@BOTH
@pytest.mark.parametrize(
    "options",
    [
        {"redirect_uri": "http://localhost"},
        {"redirect_uri": "https://localhost:8400"},
        {"redirect_uri": "http://example.com:8400"},
        {"prompt": "please"},
        {"timeout": 0},
        {"timeout": -1},
        {"tenant_id": "not a tenant"},
        {"client_id": ""},
    ],
)
def test_bad_arguments_are_value_errors(module, options):
    with pytest.raises(ValueError, match=r"\w"):
        module.InteractiveBrowserCredential(**options)
    if not set(options) & {"redirect_uri", "prompt"}:
        with pytest.raises(ValueError, match=r"\w"):
            module.DeviceCodeCredential(**options)


@BOTH
def test_a_prompt_must_be_a_function(module):
    with pytest.raises(TypeError, match="prompt_callback is a function"):
        module.DeviceCodeCredential(prompt_callback="print")


@BOTH
def test_a_password_is_deprecated_at_the_callers_line(module):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module.UsernamePasswordCredential(CLI, ADA, "p", authentication_record=None)
    assert [warning.category for warning in caught] == [DeprecationWarning]
    assert "multifactor authentication (MFA)" in str(caught[0].message)
    assert caught[0].filename == __file__


@BOTH
def test_no_password_or_code_stays_in_the_frames_of_a_constructor_that_fails(module):
    for name, arguments, options in (
        ("UsernamePasswordCredential", (CLI, "", "hunter2"), {}),
        ("AuthorizationCodeCredential", ("not a tenant", CLI, "hunter2", "https://a/b"), {"client_secret": "hunter2"}),
        ("CertificateCredential", ("not a tenant", CLI), {"certificate_data": b"x", "password": "hunter2"}),
        ("CertificateCredential", ("t", CLI), {"password": "hunter2"}),
        ("OnBehalfOfCredential", ("t", CLI), {"client_secret": "hunter2", "client_certificate": b"hunter2"}),
        ("AuthorizationCodeCredential", ("t", CLI, "hunter2", ""), {"client_secret": "hunter2"}),
        ("OnBehalfOfCredential", ("not a tenant", CLI), {"client_secret": "hunter2", "user_assertion": "hunter2"}),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ValueError, match=r"\w") as caught:
                getattr(module, name)(*arguments, **options)
        assert "hunter2" not in str(caught.value)
        frame = caught.value.__traceback__.tb_next
        while frame is not None:
            assert "hunter2" not in repr(frame.tb_frame.f_locals), (name, frame.tb_frame.f_code.co_name)
            frame = frame.tb_next


def test_an_authorization_code(azures, play_people):
    play_people(
        azures("laptop"),
        """
import html, re, urllib.parse
PORTAL, BACK = "c1000000-0000-4000-8000-000000000015", "https://portal.contoso.example/signin"

def code():
    control("PUT", "/sign-in", {"user": ADA})
    asked = {"client_id": PORTAL, "response_type": "code", "redirect_uri": BACK, "scope": GRAPH + " offline_access",
             "response_mode": "form_post", "state": "s"}
    url = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize?" + urllib.parse.urlencode(asked)
    text = urllib.request.urlopen(url).read().decode()
    control("DELETE", "/sign-in")
    return html.unescape(dict(re.findall(r'<input[^>]* name="([^"]*)" value="([^"]*)"', text))["code"])

used = code()
credential = make("AuthorizationCodeCredential", TENANT, PORTAL, used, BACK, client_secret="orders-portal~fake.secret")
assert ask(credential, GRAPH) is ask(credential, GRAPH)
# The code is used up; the refresh token gets the next one.
assert ask(credential, VAULT)
fresh = make("AuthorizationCodeCredential", TENANT, PORTAL, code(), BACK, client_secret="orders-portal~wrong.secret")
error = raised(ClientAuthenticationError, fresh, GRAPH)
try:
    make("AuthorizationCodeCredential", TENANT, PORTAL, "c", BACK, client_secret="s", client_certificate=b"x")
except ValueError as both:
    assert "more than one" in str(both)
else:
    raise SystemExit("nothing was raised")
assert "AADSTS7000215" in str(error) and "wrong.secret" not in str(error), error
""",
    )


RECORD = {
    "tenant_id": "t",
    "client_id": "c",
    "authority": "login.microsoftonline.com",
    "home_account_id": "uid.utid",
    "username": ADA,
}


def test_records_are_azure_identitys():
    import azure.identity

    ours, theirs = entrada.AuthenticationRecord(**RECORD), azure.identity.AuthenticationRecord(**RECORD)
    assert ours.serialize() == theirs.serialize()
    for each in (entrada, azure.identity):
        read = each.AuthenticationRecord.deserialize(ours.serialize())
        assert {name: getattr(read, name) for name in RECORD} == RECORD
    # Either is taken.
    for record in (ours, theirs):
        entrada.DeviceCodeCredential(authentication_record=record)
        entrada.aio.InteractiveBrowserCredential(authentication_record=record)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("[]", "not an object"),
        ('{"version": "2.0"}', "Unexpected version"),
        ('{"version": "1.0", "tenantId": "t"}', "clientId"),
        ("x" * 20000, "bytes"),
    ],
)
def test_bad_records_are_value_errors(text, words):
    with pytest.raises(ValueError, match=words):
        entrada.AuthenticationRecord.deserialize(text)


@BOTH
def test_a_record_that_cannot_be_right_is_a_value_error(module):
    wrong = entrada.AuthenticationRecord(**{**RECORD, "tenant_id": "not a tenant"})
    with pytest.raises(ValueError, match="tenant"):
        module.DeviceCodeCredential(authentication_record=wrong)
    with pytest.raises(TypeError, match="is an AuthenticationRecord, not str"):
        module.DeviceCodeCredential(authentication_record="text")


def authenticate(credential, **options):
    outcome = credential.authenticate(**options)
    return asyncio.run(outcome) if asyncio.iscoroutine(outcome) else outcome


@BOTH
def test_an_authority_of_no_known_cloud_needs_scopes(module):
    credential = module.DeviceCodeCredential(authority="https://login.example.com")
    with pytest.raises(ValueError, match="'scopes' keyword argument"):
        authenticate(credential)
    with pytest.raises(TypeError, match="list of str"):
        authenticate(credential, scopes=SCOPE)
