//! Who has signed in, by what the token endpoint says beside the token.

use serde_json::Value;
use url::Url;

use super::AuthenticationRecord;
use crate::entra::{Client, Granted};
use crate::error::Error;

/// How far clocks may be apart, in seconds: what Microsoft's own libraries allow.
const LEEWAY: i64 = 5 * 60;

/// Who has signed in. `nonce` is what the id token must repeat, where one was sent (OpenID Connect Core 1.0, section
/// 3.1.2.1).
///
/// The id token came from the token endpoint itself, over TLS, so that its signature needs no check (section 3.1.3.7);
/// what it says is checked: that it is an answer to this sign-in, for this app, and of now.
pub(crate) fn account(granted: &Granted, client: &Client, nonce: Option<&str>) -> Result<AuthenticationRecord, Error> {
    let claims = match &granted.id_token {
        Some(token) => {
            let claims = crate::token_answer::jwt_claims(token).ok_or_else(|| refuse("is not a JWT"))?;
            check(&claims, &client.client_id, nonce, granted.granted_at)?;
            claims
        }
        None if nonce.is_some() => return Err(refuse("is missing")),
        None => Value::Null,
    };
    let claim = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let home_account_id = match &granted.client_info {
        Some((uid, utid)) => format!("{uid}.{utid}"),
        None => claim("oid")
            .zip(claim("tid"))
            .map(|(oid, tid)| format!("{oid}.{tid}"))
            // AD FS knows neither; a subject is unique for one app.
            .or_else(|| claim("sub").map(str::to_owned))
            .ok_or_else(|| {
                Error::failed("the answer does not say who has signed in: it holds neither client_info nor an id token")
                    .next("check that the authority is the real one")
            })?,
    };
    let home_tenant = granted.client_info.as_ref().map(|(_, utid)| utid.as_str());
    let tenant_id = claim("tid").or(home_tenant).unwrap_or(client.tenants.own());
    let username = ["preferred_username", "upn", "email", "unique_name"].into_iter().find_map(claim);
    AuthenticationRecord::new(
        tenant_id,
        &client.client_id,
        &client.authority.host(),
        &home_account_id,
        username.unwrap_or_default(),
    )
    .map_err(|error| Error::failed(format!("the answer does not say properly who has signed in: {}", error.summary())))
}

/// What OpenID Connect Core 1.0, section 3.1.3.7, has a client check.
fn check(claims: &Value, client_id: &str, nonce: Option<&str>, now: i64) -> Result<(), Error> {
    let audience = match claims.get("aud") {
        Some(Value::String(audience)) => audience == client_id,
        Some(Value::Array(audiences)) => audiences.iter().any(|audience| audience.as_str() == Some(client_id)),
        _ => false,
    };
    if !audience {
        return Err(refuse("is for another app"));
    }
    if let Some(nonce) = nonce
        && claims.get("nonce").and_then(Value::as_str) != Some(nonce)
    {
        return Err(refuse("belongs to another sign-in"));
    }
    if let Some(issuer) = claims.get("iss") {
        let url = issuer.as_str().and_then(|issuer| Url::parse(issuer).ok());
        if !url.is_some_and(|url| url.scheme() == "https" && url.host().is_some() && url.query().is_none()) {
            return Err(refuse("names no issuer"));
        }
    }
    match claims.get("exp") {
        None => Ok(()),
        Some(exp) => match crate::token_answer::point(exp) {
            Some(exp) if now.saturating_sub(LEEWAY) < exp => Ok(()),
            Some(_) => Err(refuse("has expired").next("check this machine's clock")),
            None => Err(refuse("does not say when it expires")),
        },
    }
}

fn refuse(why: &str) -> Error {
    Error::failed(format!("the id token that came with the token {why}; nobody is signed in"))
        .next("sign in again; if it stays so, check that the authority is the real one")
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
    use serde_json::json;
    use zeroize::Zeroizing;

    use super::*;
    use crate::credentials::EntraOptions;
    use crate::entra::Proof;
    use crate::platform::scripted::Scripted;
    use crate::token::{Fetched, Token};

    const NOW: i64 = 1_800_000_000;

    fn client() -> Client {
        let options = EntraOptions { platform: Some(Scripted::new(&[]).platform), ..Default::default() };
        Client::new("organizations", "client", Proof::None, &options).expect("valid")
    }

    fn granted(id_token: Option<String>, client_info: Option<(&str, &str)>) -> Granted {
        let token = Token::new(Zeroizing::new("t".into()), 0, None);
        Granted {
            fetched: Fetched { token, lifetime: std::time::Duration::from_secs(60), refresh_in: None },
            refresh_token: None,
            id_token: id_token.map(Zeroizing::new),
            client_info: client_info.map(|(uid, utid)| (uid.to_owned(), utid.to_owned())),
            granted_at: NOW,
        }
    }

    fn jwt(claims: &Value) -> Option<String> {
        Some(format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims.to_string())))
    }

    fn entras() -> Value {
        json!({"aud": "client", "iss": "https://login.microsoftonline.com/t-1/v2.0", "tid": "t-1", "oid": "o-1",
            "preferred_username": "ada@contoso.com", "nonce": "n", "exp": NOW + 3600})
    }

    #[test]
    fn the_home_account_comes_from_the_client_info_else_from_the_id_token() {
        let record = account(&granted(jwt(&entras()), Some(("u", "home"))), &client(), Some("n")).expect("Ada");
        assert_eq!(record.home_account_id(), "u.home");
        assert_eq!((record.tenant_id(), record.username()), ("t-1", "ada@contoso.com"));
        assert_eq!((record.authority(), record.client_id()), ("login.microsoftonline.com", "client"));
        let record = account(&granted(jwt(&entras()), None), &client(), None).expect("Ada");
        assert_eq!(record.home_account_id(), "o-1.t-1");
        let adfs = json!({"aud": ["client"], "sub": "s-1", "upn": "ada@corp", "iss": "https://adfs.corp/adfs"});
        let record = account(&granted(jwt(&adfs), None), &client(), None).expect("Ada");
        assert_eq!((record.home_account_id(), record.username()), ("s-1", "ada@corp"));
        assert_eq!(record.tenant_id(), "organizations");
        let record = account(&granted(None, Some(("u", "home"))), &client(), None).expect("somebody");
        assert_eq!((record.tenant_id(), record.username()), ("home", ""));
    }

    #[test]
    fn an_id_token_that_is_not_of_this_sign_in_is_refused() {
        let with = |name: &str, value: Value| {
            let mut claims = entras();
            claims[name] = value;
            jwt(&claims)
        };
        for (id_token, words) in [
            (with("aud", json!("other")), "is for another app"),
            (with("aud", Value::Null), "is for another app"),
            (with("nonce", json!("other")), "belongs to another sign-in"),
            (with("nonce", Value::Null), "belongs to another sign-in"),
            (with("iss", json!("contoso")), "names no issuer"),
            (with("iss", json!("http://login.microsoftonline.com/t-1")), "names no issuer"),
            (with("exp", json!(NOW - 600)), "has expired"),
            (with("exp", json!("soon")), "does not say when"),
            (Some("opaque".into()), "is not a JWT"),
            (None, "is missing"),
        ] {
            let error = account(&granted(id_token, Some(("u", "home"))), &client(), Some("n")).expect_err(words);
            assert!(error.to_string().contains(words), "{words}: {error}");
            assert!(error.remedy().is_some());
        }
        let error = account(&granted(None, None), &client(), None).expect_err("nobody");
        assert!(error.to_string().contains("does not say who"), "{error}");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(
            payload in proptest::collection::vec(any::<u8>(), 0..200), claim in ".{0,40}", number in any::<f64>(),
        ) {
            let token = format!("e30.{}.s", URL_SAFE_NO_PAD.encode(&payload));
            let _ = account(&granted(Some(token), None), &client(), None);
            let claims = json!({"aud": "client", "iss": claim, "tid": claim, "oid": claim, "sub": claim, "exp": number});
            let _ = account(&granted(jwt(&claims), None), &client(), None);
            let _ = account(&granted(jwt(&entras()), Some((&claim, &claim))), &client(), None);
        }
    }
}
