//! Grants: what is shown to the token endpoint to get a token for it (RFC 6749, section 4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::token::{Fetched, TokenRequest};

/// The scopes that bring an id token and a refresh token with a user's access token (OpenID Connect Core 1.0, sections
/// 3.1.2.1 and 11).
const OF_USERS: [&str; 3] = ["offline_access", "openid", "profile"];

/// One way to ask the token endpoint.
#[derive(Clone, Copy)]
pub(crate) enum Grant<'a> {
    /// The app asks for itself (RFC 6749, section 4.4).
    ClientCredentials,
    /// A user's refresh token (RFC 6749, section 6).
    RefreshToken(&'a str),
    /// The code that the authorization endpoint gave (RFC 6749, section 4.1.3), and the verifier of RFC 7636.
    AuthorizationCode {
        /// The code.
        code: &'a str,
        /// Where it was sent to.
        redirect_uri: &'a str,
        /// What the challenge was made of, where there was one.
        verifier: Option<&'a str>,
    },
    /// The code that a person has entered elsewhere, or not yet (RFC 8628, section 3.4).
    DeviceCode(&'a str),
    /// A user's name and password (RFC 6749, section 4.3).
    Password {
        /// The name.
        username: &'a str,
        /// The password.
        password: &'a str,
    },
    /// A user's token that was given to this app, to go on with as that user.
    /// <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow>
    OnBehalfOf(&'a str),
}

impl<'a> Grant<'a> {
    /// Whether the token will be a user's.
    fn is_users(&self) -> bool {
        !matches!(self, Self::ClientCredentials)
    }

    /// The value of `grant_type`.
    fn kind(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken(_) => "refresh_token",
            Self::AuthorizationCode { .. } => "authorization_code",
            Self::DeviceCode(_) => "urn:ietf:params:oauth:grant-type:device_code",
            Self::Password { .. } => "password",
            Self::OnBehalfOf(_) => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }

    /// The parameters of its own.
    fn parameters(&self) -> Vec<(&'static str, &'a str)> {
        match *self {
            Self::ClientCredentials => Vec::new(),
            Self::RefreshToken(token) => vec![("refresh_token", token)],
            Self::AuthorizationCode { code, redirect_uri, verifier } => {
                let mut parameters = vec![("code", code), ("redirect_uri", redirect_uri)];
                parameters.extend(verifier.map(|verifier| ("code_verifier", verifier)));
                parameters
            }
            Self::DeviceCode(code) => vec![("device_code", code)],
            Self::Password { username, password } => vec![("username", username), ("password", password)],
            Self::OnBehalfOf(assertion) => vec![("assertion", assertion), ("requested_token_use", "on_behalf_of")],
        }
    }

    /// What must not come back in an error.
    pub(super) fn secret(&self) -> Option<&'a str> {
        match *self {
            Self::ClientCredentials => None,
            Self::RefreshToken(secret)
            | Self::AuthorizationCode { code: secret, .. }
            | Self::DeviceCode(secret)
            | Self::Password { password: secret, .. }
            | Self::OnBehalfOf(secret) => Some(secret),
        }
    }
}

/// What an app shows to prove that it is the client (RFC 6749, section 2.3.1; RFC 7523, section 2.2).
#[derive(Clone, Copy)]
pub(crate) enum ClientProof<'a> {
    /// A public client has none (RFC 6749, section 2.1).
    None,
    /// Its secret.
    Secret(&'a str),
    /// A JWT that it signed, or somebody whom Entra trusts to speak for it.
    Assertion(&'a str),
}

impl<'a> ClientProof<'a> {
    fn parameters(self) -> Vec<(&'static str, &'a str)> {
        match self {
            Self::None => Vec::new(),
            Self::Secret(secret) => vec![("client_secret", secret)],
            Self::Assertion(assertion) => vec![
                ("client_assertion", assertion),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ],
        }
    }

    /// What must not come back in an error.
    pub(super) fn secret(self) -> Option<&'a str> {
        match self {
            Self::None => None,
            Self::Secret(secret) | Self::Assertion(secret) => Some(secret),
        }
    }
}

/// The form that is sent: who asks, with which proof, by which grant, for what; the claims of the request, and the
/// announcement that the caller handles continuous access evaluation, where there are any.
pub(super) fn form<'a>(
    client_id: &'a str,
    proof: ClientProof<'a>,
    grant: &Grant<'a>,
    request: &TokenRequest,
) -> Result<Vec<(&'static str, Zeroizing<String>)>, Error> {
    let mut form: Vec<(&'static str, &str)> = vec![("client_id", client_id)];
    form.extend(proof.parameters());
    form.push(("grant_type", grant.kind()));
    form.extend(grant.parameters());
    let scope = if grant.is_users() { user_scope(&request.scopes) } else { request.scopes.join(" ") };
    form.push(("scope", &scope));
    if grant.is_users() {
        // Asks who the user is, in a form that needs no id token.
        form.push(("client_info", "1"));
    }
    let claims = claims(request)?;
    form.extend(claims.as_deref().map(|claims| ("claims", claims)));
    Ok(form.into_iter().map(|(name, value)| (name, Zeroizing::new(value.to_owned()))).collect())
}

/// The `scope` parameter of a request for a user's token: what was asked for, and an id token and a refresh token.
pub(crate) fn user_scope(scopes: &[String]) -> String {
    let mut all: Vec<&str> = scopes.iter().map(String::as_str).collect();
    all.extend(OF_USERS.iter().filter(|scope| !scopes.iter().any(|asked| asked == *scope)));
    all.join(" ")
}

/// The `claims` parameter (OpenID Connect Core 1.0, section 5.5): what a resource demanded, and the client capability
/// `CP1` of a caller that handles continuous access evaluation.
pub(crate) fn claims(request: &TokenRequest) -> Result<Option<String>, Error> {
    let mut claims = match request.claims.as_deref() {
        None if !request.enable_cae => return Ok(None),
        None => serde_json::json!({}),
        Some(text) => serde_json::from_str(text)
            .ok()
            .filter(|claims: &Value| {
                let inner = claims.get("access_token");
                claims.is_object() && inner.is_none_or(Value::is_object)
            })
            .ok_or_else(|| {
                Error::invalid_argument("the claims are not a JSON object")
                    .next("pass the claims of the challenge decoded from base64")
            })?,
    };
    if request.enable_cae {
        claims["access_token"]["xms_cc"] = serde_json::json!({"values": ["CP1"]});
    }
    Ok(Some(claims.to_string()))
}

/// What the token endpoint gave.
#[derive(Debug)]
pub(crate) struct Granted {
    /// The access token.
    pub(crate) fetched: Fetched,
    /// What gets the next one without the user, where there is one.
    pub(crate) refresh_token: Option<Zeroizing<String>>,
    /// Who the user is (OpenID Connect Core 1.0, section 2), where the grant says so.
    pub(crate) id_token: Option<Zeroizing<String>>,
    /// `uid` and `utid` of the user: object id and home tenant.
    pub(crate) client_info: Option<(String, String)>,
    /// When, by the server's clock where it told, in seconds since 1970-01-01T00:00:00Z.
    pub(crate) granted_at: i64,
}

impl Granted {
    pub(super) fn new(fetched: Fetched, mut body: Value, granted_at: i64) -> Self {
        let mut text = |name: &str| match body.get_mut(name).map(Value::take) {
            Some(Value::String(text)) if !text.is_empty() => Some(Zeroizing::new(text)),
            _ => None,
        };
        let (refresh_token, id_token) = (text("refresh_token"), text("id_token"));
        let client_info = text("client_info").and_then(|text| {
            let decoded = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
            let info: Value = serde_json::from_slice(&decoded).ok()?;
            Some((info.get("uid")?.as_str()?.to_owned(), info.get("utid")?.as_str()?.to_owned()))
        });
        Self { fetched, refresh_token, id_token, client_info, granted_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_and_capabilities_are_merged() {
        let mut request = TokenRequest::new(["s"]);
        assert_eq!(claims(&request).expect("none"), None);
        request.enable_cae = true;
        assert_eq!(
            claims(&request).expect("some").as_deref(),
            Some(r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#)
        );
        request.claims = Some(r#"{"access_token":{"nbf":{"essential":true}}}"#.into());
        assert_eq!(
            claims(&request).expect("some").as_deref(),
            Some(r#"{"access_token":{"nbf":{"essential":true},"xms_cc":{"values":["CP1"]}}}"#)
        );
        for bad in ["", "[]", "{", r#"{"access_token":7}"#] {
            request.claims = Some(bad.into());
            assert!(claims(&request).expect_err(bad).is_invalid_argument());
        }
    }

    #[test]
    fn a_users_token_comes_with_what_renews_it() {
        let request = TokenRequest::new(["User.Read", "openid"]);
        let form = form("c", ClientProof::None, &Grant::RefreshToken("r"), &request).expect("a form");
        let form: Vec<_> = form.iter().map(|(name, value)| format!("{name}={}", **value)).collect();
        assert_eq!(
            form.join("&"),
            "client_id=c&grant_type=refresh_token&refresh_token=r&scope=User.Read openid offline_access profile&client_info=1"
        );
    }

    #[test]
    fn who_the_user_is_stands_in_the_client_info() {
        let granted = |info: &str| {
            let token = crate::token::Token::new(Zeroizing::new("t".into()), 0, None);
            let fetched = Fetched { token, lifetime: std::time::Duration::ZERO, refresh_in: None };
            Granted::new(fetched, serde_json::json!({"client_info": info, "refresh_token": 7}), 0)
        };
        let info = URL_SAFE_NO_PAD.encode(r#"{"uid":"u-1","utid":"t-1"}"#);
        assert_eq!(granted(&info).client_info, Some(("u-1".into(), "t-1".into())));
        assert_eq!(granted("%").client_info, None);
        assert!(granted("%").refresh_token.is_none());
    }
}
