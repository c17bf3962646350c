//! Tokens that somebody else got: what a file holds or a program prints.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::platform::Clock;
use crate::scope;
use crate::token::{Fetched, TokenRequest};
use crate::token_answer::{LONGEST_LIFE, excerpt, jwt_claim, jwt_expiry, point, rfc3339};

/// The longest text that is read for a token, in bytes.
pub(super) const LONGEST: usize = 256 << 10;

/// Makes a token of a text: the token alone, or JSON that holds it, as Azure's tools and OAuth servers write it
/// (`accessToken`, `access_token` or `token`; `expiresOn`, `expires_on` or `expires_in`), or as Kubernetes asks of its
/// credential plugins (ExecCredential). Of several ends the earliest counts.
///
/// `origin` gave the text; it is told in errors, the text is not.
pub(crate) fn read(origin: &str, text: &[u8], clock: &dyn Clock) -> Result<Fetched, Error> {
    let refuse = |what: &str| {
        Err(Error::failed(format!("{origin} {what}")).next(
            "the token must stand there alone, or in JSON as accessToken, access_token or token with expires_on, or as an ExecCredential of Kubernetes",
        ))
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return refuse("is something other than text");
    };
    let text = text.trim();
    if text.is_empty() {
        return refuse("is empty");
    }
    let (secret, ends) = if text.starts_with('{') {
        let Ok(mut body) = serde_json::from_str::<Value>(text) else {
            return refuse("begins like JSON and is none");
        };
        let ends = match ends(&body, clock.unix_time()) {
            Ok(ends) => ends,
            Err(name) => return refuse(&format!("says in {name} something other than a time with its zone")),
        };
        let place = if is_exec_credential(&body) { body.pointer_mut("/status") } else { Some(&mut body) };
        let token = place.and_then(|place| {
            ["accessToken", "access_token", "token"].iter().find_map(|name| place.get_mut(*name).map(Value::take))
        });
        match token {
            Some(Value::String(token)) => (Zeroizing::new(token), ends),
            Some(_) => return refuse("is JSON whose token is not text"),
            None => return refuse("is JSON without a token"),
        }
    } else {
        (Zeroizing::new(text.to_owned()), Vec::new())
    };
    if !is_token(&secret) {
        return refuse("holds no token: it is empty, or holds white space or quotes");
    }
    let Some(expires_on) = ends.into_iter().chain(jwt_expiry(&secret)).min() else {
        return refuse("does not say when the token expires, and the token is no JWT that does");
    };
    if expires_on.saturating_sub(clock.unix_time()) > LONGEST_LIFE {
        return refuse("gives the token more than ten years to live; times are in seconds");
    }
    Fetched::until(secret, expires_on, clock.unix_time()).ok_or_else(|| expired(origin, expires_on, clock.unix_time()))
}

/// What a request asks for that nobody can do about a token that is there already: claims of a challenge, which only a new
/// sign-in satisfies.
pub(super) fn check(request: &TokenRequest) -> Result<(), Error> {
    scope::check(request)?;
    if request.claims.is_some() {
        return Err(Error::interaction_required(
            "a token that somebody else got cannot be renewed to satisfy a claims challenge",
        )
        .next("sign in where the token comes from, with the claims of the challenge"));
    }
    Ok(())
}

/// Refuses the token of another tenant than the one requested, where both are known.
pub(super) fn check_tenant(token: &str, requested: Option<&str>) -> Result<(), Error> {
    let Some(requested) = requested.filter(|requested| uuid::Uuid::try_parse(requested).is_ok()) else { return Ok(()) };
    let tid = jwt_claim(token, "tid");
    match tid.as_ref().and_then(Value::as_str) {
        Some(tid) if !tid.eq_ignore_ascii_case(requested) => Err(Error::failed(format!(
            "a token of tenant {requested} was requested, and the one there is has tenant {}",
            excerpt(tid)
        ))
        .next("get the token in the tenant that the resource belongs to")),
        _ => Ok(()),
    }
}

/// That a token has expired, with both times.
pub(super) fn expired(origin: &str, expires_on: i64, now: i64) -> Error {
    Error::failed(format!(
        "{origin} holds a token that expired at {}; by this machine's clock it is {}",
        rfc3339(expires_on),
        rfc3339(now)
    ))
    .next("get a new one, or set this machine's clock if it is wrong")
}

/// Whether a text can go after `Bearer` (RFC 6750, section 2.1); a little more than that has been seen.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>{}\\".contains(&byte))
}

fn is_exec_credential(body: &Value) -> bool {
    body.get("kind").and_then(Value::as_str) == Some("ExecCredential")
}

/// All ends that JSON names, in seconds since 1970-01-01T00:00:00Z; the name of one that is no time. The Azure CLI wrote
/// `expiresOn` in local time, without a zone, and says the same in `expires_on`: the first does not count then.
fn ends(body: &Value, now: i64) -> Result<Vec<i64>, &'static str> {
    let mut ends = Vec::new();
    let mut unclear = None;
    let absolute = if is_exec_credential(body) {
        vec![("status.expirationTimestamp", body.pointer("/status/expirationTimestamp"))]
    } else {
        vec![("expires_on", body.get("expires_on")), ("expiresOn", body.get("expiresOn"))]
    };
    for (name, value) in absolute {
        match value {
            None | Some(Value::Null) => {}
            Some(value) => match point(value) {
                Some(end) => ends.push(end),
                None => unclear = Some(name),
            },
        }
    }
    match body.get("expires_in") {
        None | Some(Value::Null) => {}
        Some(value) => match point(value) {
            Some(seconds) => ends.push(now.saturating_add(seconds)),
            None => unclear = Some("expires_in"),
        },
    }
    match unclear {
        Some(name) if ends.is_empty() => Err(name),
        _ => Ok(ends),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;
    use crate::platform::scripted::ScriptedClock;

    const NOW: i64 = 1_800_000_000;

    fn jwt(exp: i64) -> String {
        format!("e30.{}.hunter2", URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{exp}}}"#)))
    }

    fn read_now(text: &str) -> Result<Fetched, String> {
        read("the file", text.as_bytes(), &ScriptedClock::at(NOW)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_form_is_read() {
        let jwt = jwt(NOW + 60);
        for (text, token) in [
            (format!("{jwt}\n"), &*jwt),
            (format!(r#"{{"token":"{jwt}"}}"#), &jwt),
            (r#"{"accessToken":"t","expires_on":1800000060}"#.into(), "t"),
            (r#"{"accessToken":"t","expiresOn":"2027-01-15 09:01:00.000000","expires_on":1800000060}"#.into(), "t"),
            (r#" {"access_token":"t","expires_in":"60","token_type":"Bearer"}"#.into(), "t"),
            (r#"{"token":"t","expiresOn":"2027-01-15T08:01:00Z"}"#.into(), "t"),
            (format!(r#"{{"accessToken":"{jwt}","expiresOn":"2027-01-15 09:01:00.000000","expires_on":1800000900}}"#), &jwt),
            (
                r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{},"status":{"token":"t","expirationTimestamp":"2027-01-15T08:01:00Z"}}"#.into(),
                "t",
            ),
        ] {
            let fetched = read_now(&text).expect(&text);
            assert_eq!((fetched.token.secret(), fetched.lifetime.as_secs()), (token, 60), "{text}");
            assert_eq!(fetched.token.expires_on(), NOW + 60);
        }
    }

    #[test]
    fn what_is_no_token_is_told_without_showing_it() {
        for (text, words) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("{\"token\":\"hunter2", "begins like JSON"),
            ("{}", "without a token"),
            (r#"{"token":7}"#, "not text"),
            (r#"{"token":""}"#, "holds no token"),
            ("Bearer hunter2", "holds no token"),
            ("hunter2", "does not say when"),
            (r#"{"token":"hunter2"}"#, "does not say when"),
            (r#"{"token":"hunter2","expires_on":"soon"}"#, "says in expires_on"),
            (r#"{"token":"hunter2","expiresOn":"2027-01-15 09:01:00.000000"}"#, "a time with its zone"),
            (r#"{"token":"hunter2","expires_on":1799999999}"#, "expired at 2027-01-15T07:59:59Z"),
            (r#"{"token":"hunter2","expires_in":-9223372036854775808}"#, "expired at"),
            (r#"{"token":"hunter2","expires_on":1800000060000}"#, "more than ten years"),
            (r#"{"kind":"ExecCredential","status":{}}"#, "without a token"),
            (r#"{"kind":"ExecCredential","token":"hunter2"}"#, "without a token"),
        ] {
            let error = read_now(text).expect_err(words);
            assert!(error.contains(words) && error.starts_with("the file "), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(read("the file", b"\xff", &ScriptedClock::at(NOW)).is_err());
        let error = read_now(&jwt(NOW - 1)).expect_err("expired");
        assert!(error.contains("it is 2027-01-15T08:00:00Z") && error.contains("get a new one"), "{error}");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_and_nothing_expired_gets_through(
            bytes in any::<Vec<u8>>(),
            number in any::<i64>(),
            name in "(expires_on|expiresOn|expires_in|exp)",
        ) {
            let clock = ScriptedClock::at(NOW);
            let _ = read("x", &bytes, &clock);
            let json = serde_json::json!({"token": "t", name: number, "kind": String::from_utf8_lossy(&bytes)});
            for text in [json.to_string(), jwt(number)] {
                if let Ok(fetched) = read("x", text.as_bytes(), &clock) {
                    prop_assert!(fetched.token.expires_on() > NOW && fetched.lifetime > Duration::ZERO);
                }
            }
        }
    }
}
