//! The token endpoint (RFC 6749, section 3.2).

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

use super::{Authority, error_answer};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::platform::{HttpRequest, Platform, Route, Trust};
use crate::retry::{Again, Retry, Sending};
use crate::token::{Fetched, TokenRequest};
use crate::token_answer;

const TIMEOUT: Duration = Duration::from_secs(30);
const RETRY: Retry = Retry {
    attempts: 4,
    attempts_unanswered: 3,
    first_pause: Duration::from_millis(800),
    again: |outcome| match outcome {
        Ok(response) if matches!(response.status, 408 | 429 | 500 | 502 | 503 | 504) => Again::Soon,
        Err(error) if error.is_transient() => Again::Soon,
        _ => Again::Never,
    },
};
/// How long one call may take, with all its attempts.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The token endpoint of one tenant.
#[derive(Debug)]
pub(crate) struct TokenEndpoint {
    url: Url,
    /// Whom the request is for, in words, for errors.
    asked: String,
    route: Route,
    trust: Trust,
}

impl TokenEndpoint {
    pub(crate) fn new(authority: &Authority, tenant_id: &str, client_id: &str, scopes: &[String]) -> Self {
        let url = authority.token_endpoint(tenant_id);
        let asked = format!("POST {url} for client {client_id}, scope {}", scopes.join(" "));
        Self { url, asked, route: Route::Proxied, trust: Trust::System }
    }

    /// Whom a request is for, in words.
    pub(crate) fn asked(&self) -> &str {
        &self.asked
    }

    /// The same endpoint behind a server beside us that passes requests on: with the path of the endpoint below that of
    /// `server`, and a trust of its own.
    pub(crate) fn behind(mut self, server: &Url, trust: Trust) -> Self {
        let mut url = server.clone();
        url.set_path(&format!("{}{}", server.path().trim_end_matches('/'), self.url.path()));
        self.asked = format!("{}, through {url}", self.asked);
        Self { url, route: Route::Direct, trust, ..self }
    }

    /// Sends a grant and reads the answer.
    async fn redeem(&self, platform: &Platform, deadline: Deadline, form: &[(&str, &str)]) -> Result<Fetched, Error> {
        let request_id = uuid::Uuid::new_v4().to_string();
        let mut request = HttpRequest::post_form(self.url.clone(), self.route, TIMEOUT, form)
            .header(http::header::ACCEPT, HeaderValue::from_static("application/json"));
        request.trust = self.trust.clone();
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            request = request
                .header(HeaderName::from_static("client-request-id"), value)
                .header(HeaderName::from_static("return-client-request-id"), HeaderValue::from_static("true"));
        }
        let sent = RETRY.send(&Sending { platform, deadline, limiter: None }, request).await;
        let tried = format!("{}{}", self.asked, sent.effort);
        let response =
            sent.outcome.map_err(|error| {
                let failed = Error::failed(format!("Microsoft Entra could not be reached: {error}"))
                    .tried(format!("{tried}, request id {request_id}"));
                failed.next(error.remedy().unwrap_or(
                    "check the network, and HTTPS_PROXY if this machine reaches the internet through a proxy",
                ))
            })?;
        let outcome = if response.status == 200 {
            token_answer::parse(&response, platform.clock())
        } else {
            Err(error_answer::refusal(&response, platform.clock().unix_time()))
        };
        outcome.map_err(|error| error.tried(tried))
    }
}

/// What an app shows to prove that it is the client (RFC 6749, section 2.3.1; RFC 7523, section 2.2).
#[derive(Clone, Copy)]
pub(crate) enum ClientProof<'a> {
    /// Its secret.
    Secret(&'a str),
    /// A JWT that somebody signed whom Entra trusts to.
    Assertion(&'a str),
}

/// The client-credentials grant (RFC 6749, section 4.4), with the claims of the request, and the announcement that the
/// caller handles continuous access evaluation, where there are any. What was shown never comes back in an error.
pub(crate) async fn client_credentials(
    endpoint: &TokenEndpoint,
    platform: &Platform,
    deadline: Deadline,
    client_id: &str,
    proof: ClientProof<'_>,
    request: &TokenRequest,
) -> Result<Fetched, Error> {
    let scope = request.scopes.join(" ");
    let claims = claims(request)?;
    let mut form = vec![("client_id", client_id)];
    let shown = match proof {
        ClientProof::Secret(secret) => {
            form.push(("client_secret", secret));
            secret
        }
        ClientProof::Assertion(assertion) => {
            form.push(("client_assertion", assertion));
            form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
            assertion
        }
    };
    form.extend([("grant_type", "client_credentials"), ("scope", &*scope)]);
    if let Some(claims) = &claims {
        form.push(("claims", claims));
    }
    endpoint.redeem(platform, deadline, &form).await.map_err(|error| error.without(shown))
}

/// The `claims` parameter (OpenID Connect Core 1.0, section 5.5): what a resource demanded, and the client capability
/// `CP1` of a caller that handles continuous access evaluation.
fn claims(request: &TokenRequest) -> Result<Option<String>, Error> {
    let mut claims = match request.claims.as_deref() {
        None if !request.enable_cae => return Ok(None),
        None => serde_json::json!({}),
        Some(text) => serde_json::from_str(text)
            .ok()
            .filter(|claims: &serde_json::Value| {
                let inner = claims.get("access_token");
                claims.is_object() && inner.is_none_or(serde_json::Value::is_object)
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
}
