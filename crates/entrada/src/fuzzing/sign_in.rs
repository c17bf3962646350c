//! What people's sign-ins leave behind and are answered with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use super::entra::client;
use super::{check, machine};
use crate::AuthenticationRecord;
use crate::deadline::Deadline;
use crate::entra::{Grant, LIMIT, Proof};
use crate::platform::scripted::{Scripted, response};
use crate::sign_in::account;
use crate::token::TokenRequest;

const VERIFIER: &str = "Rk7Wc2Xd9Vn4Hb6T";
const NONCE: &str = "n-1";

/// A record of a sign-in, as this or another library wrote it: what is read is written and read as the same.
pub fn authentication_record(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match AuthenticationRecord::deserialize(text) {
        Ok(record) => {
            assert_eq!(AuthenticationRecord::deserialize(&record.serialize()).expect("read again"), record);
            let url = Url::parse(&format!("https://{}/", record.authority())).expect("a host");
            assert!(url.username().is_empty() && url.path() == "/" && url.query().is_none(), "{url} is no host");
        }
        Err(error) => check::error(&error, data, &[]),
    }
}

/// The answer to a request for a device code: what a person is shown can be shown and typed, and nobody waits for ever.
pub fn device_code(data: &[u8]) {
    let machine = Scripted::new(&[]).always(machine::answer(data));
    let client = client(&machine, Proof::None);
    let request = TokenRequest::new(["User.Read"]);
    let deadline = Deadline::after(machine.platform.clock(), LIMIT);
    match machine::now(client.device_authorization(&request, deadline)) {
        Ok(codes) => {
            assert!(codes.user_code.chars().all(|c| c.is_ascii_graphic()), "{:?} cannot be typed", codes.user_code);
            for text in [Some(&codes.verification_uri), codes.message.as_ref()].into_iter().flatten() {
                assert!(!text.chars().any(char::is_control), "{text:?} cannot be shown");
            }
            assert!(codes.verification_uri.starts_with("https://"), "{}", codes.verification_uri);
            assert!((1..=86_400).contains(&codes.lifetime.as_secs()), "{:?}", codes.lifetime);
            assert!((1..=60).contains(&codes.interval.as_secs()), "{:?}", codes.interval);
        }
        Err(error) => check::error(&error, data, &[]),
    }
}

/// The claims of an id token and, on the second line, the client info: who they say has signed in is told only if the id
/// token is this app's and this sign-in's.
pub fn id_token(data: &[u8]) {
    let (claims, info) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, [].as_slice()),
    };
    let body = serde_json::json!({
        "access_token": "t",
        "expires_in": 3600,
        "id_token": format!("e30.{}.s", URL_SAFE_NO_PAD.encode(claims)),
        "client_info": URL_SAFE_NO_PAD.encode(info),
    });
    let machine = Scripted::new(&[]).always(response(200, &body.to_string()));
    let client = client(&machine, Proof::None);
    let grant = Grant::AuthorizationCode { code: "c-1", redirect_uri: "http://localhost:1", verifier: Some(VERIFIER) };
    let deadline = Deadline::after(machine.platform.clock(), LIMIT);
    let granted = machine::now(client.redeem(&TokenRequest::new(["User.Read"]), &grant, deadline)).expect("a token");
    match account(&granted, &client, Some(NONCE)) {
        Ok(record) => {
            let claims: serde_json::Value = serde_json::from_slice(claims).expect("claims");
            assert_eq!(claims["nonce"], NONCE);
            let audience = [&claims["aud"]].into_iter().chain(claims["aud"].as_array().into_iter().flatten());
            assert!(audience.into_iter().any(|audience| audience == &*client.client_id), "of another app: {claims}");
            assert!(!record.home_account_id().is_empty(), "nobody has signed in");
            assert_eq!(AuthenticationRecord::deserialize(&record.serialize()).expect("read again"), record);
        }
        Err(error) => check::error(&error, data, &[]),
    }
}
