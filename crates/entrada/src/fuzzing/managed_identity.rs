//! The answers of managed-identity hosts.

use super::{check, machine};
use crate::deadline::Deadline;
use crate::managed_identity::{Asked, Host, UserAssignedId};
use crate::platform::HttpResponse;
use crate::platform::scripted::Scripted;
use crate::token::{Fetched, TokenRequest};

const HEADER: &str = "Tz6Hq1Xn8Vb3Mw0K";
const CLIENT_ID: &str = "1d000000-0000-4000-8000-000000000002";
const AGENT_KEYS: &str = "/var/opt/azcmagent/tokens";
/// What no answer may make a program read, and what it may.
const FOREIGN: &str = "Bg4Ys9Dk2Jf7Wc5R";
const KEY: &str = "Xr0Zp8Lt3Nq6Vh1M";

const ENDPOINT: (&str, &str) = ("IDENTITY_ENDPOINT", "https://127.0.0.1:2377/token");
const THUMBPRINT: (&str, &str) = ("IDENTITY_SERVER_THUMBPRINT", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00010203");
const MSI: (&str, &str) = ("MSI_ENDPOINT", "http://127.0.0.1:41056/token");
/// The variables of each host, after the character that chooses it.
const HOSTS: &[(u8, &[(&str, &str)])] = &[
    (b'a', &[("IDENTITY_ENDPOINT", "http://127.0.0.1:41056/token"), ("IDENTITY_HEADER", HEADER)]),
    (b'b', &[MSI, ("MSI_SECRET", HEADER), ("WEBSITE_SITE_NAME", "orders")]),
    (b'c', &[MSI]),
    (b'f', &[ENDPOINT, ("IDENTITY_HEADER", HEADER), THUMBPRINT]),
    (b'm', &[MSI, ("MSI_SECRET", HEADER)]),
    (b'v', &[]),
    (b'z', &ARC),
];
const ARC: [(&str, &str); 2] =
    [("IDENTITY_ENDPOINT", "http://127.0.0.1:40342/token"), ("IMDS_ENDPOINT", "http://127.0.0.1:40342")];

/// A host, chosen by the first character; whether a certain identity is asked for, by the second; and its answer. The
/// token in it is usable and of that identity as far as it says, or the error says nothing secret.
pub fn managed_identity(data: &[u8]) {
    let Some(([host, id], rest)) = data.split_first_chunk::<2>() else { return };
    let Some((_, variables)) = HOSTS.iter().find(|(name, _)| name == host) else { return };
    let id = (*id == b'u').then(|| UserAssignedId::ClientId(CLIENT_ID.into()));
    let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    let _ = fetch(variables, id.as_ref(), &machine::answer(rest), rest, &[HEADER, KEY]);
}

/// A challenge of the agent of Azure Arc: no file but a key in the agent's folder is read for it.
pub fn arc_challenge(data: &[u8]) {
    let Ok(challenge) = http::HeaderValue::from_bytes(data) else { return };
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::WWW_AUTHENTICATE, challenge);
    let answer = HttpResponse { status: 401, headers, body: Default::default() };
    let machine = fetch(&ARC, None, &answer, data, &[KEY]);
    for sent in machine.http.sent() {
        let shown = sent.headers.get(http::header::AUTHORIZATION).map(http::HeaderValue::as_bytes);
        let expected = format!("Basic {KEY}");
        assert!(shown.is_none_or(|shown| shown == expected.as_bytes()), "the agent was shown another file");
    }
}

fn fetch(
    variables: &[(&str, &str)],
    id: Option<&UserAssignedId>,
    answer: &HttpResponse,
    said: &[u8],
    shown: &[&str],
) -> Scripted {
    let machine = Scripted::new(variables).always(answer.clone());
    machine.files.put(&format!("{AGENT_KEYS}/1.key"), KEY);
    for foreign in ["/etc/shadow", "/etc/shadow.key", "/var/opt/azcmagent/1.key", "/1.key"] {
        machine.files.put(foreign, FOREIGN);
    }
    machine.files.link(&format!("{AGENT_KEYS}/2.key"), "/etc/shadow.key");
    let clock = machine.platform.clock();
    let host = Host::detect(&machine.platform).expect("a host");
    let asked = Asked {
        platform: &machine.platform,
        resource: "https://vault.azure.net",
        id,
        within_chain: false,
        deadline: Deadline::after(clock, std::time::Duration::from_secs(120)),
    };
    let request = TokenRequest::new(["https://vault.azure.net/.default"]);
    match machine::now(host.fetch(&asked, &request)) {
        Ok(fetched) => {
            check::fetched(&fetched, clock);
            assert_is_of(&fetched, id);
        }
        Err(error) => check::error(&error, said, &machine::shown(&machine, shown)),
    }
    machine
}

/// A token that says whose it is, and is somebody else's than was asked for, must not have been taken.
fn assert_is_of(fetched: &Fetched, id: Option<&UserAssignedId>) {
    let said = crate::token_answer::jwt_claim(fetched.token.secret(), "appid");
    if let (Some(UserAssignedId::ClientId(id)), Some(said)) = (id, said.as_ref().and_then(|said| said.as_str())) {
        assert!(said.eq_ignore_ascii_case(id), "asked for {id}, taken from {said}");
    }
}
