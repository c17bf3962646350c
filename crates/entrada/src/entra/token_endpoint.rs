//! The token endpoint (RFC 6749, section 3.2).

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

use super::grant::{ClientProof, Grant, Granted, form};
use super::{Authority, error_answer, region};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::platform::{HttpRequest, HttpResponse, Platform, Route, Trust};
use crate::retry::{Again, Retry, Sending};
use crate::token::TokenRequest;
use crate::token_answer;

const TIMEOUT: Duration = Duration::from_secs(30);
/// How servers that issue tokens and assertions are asked again.
pub(crate) const RETRY: Retry = Retry {
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
    /// What it is called in an assertion, wherever requests go.
    audience: Url,
    /// Whom the request is for, in words, for errors.
    asked: String,
    route: Route,
    trust: Trust,
}

impl TokenEndpoint {
    pub(crate) fn new(authority: &Authority, tenant_id: &str, client_id: &str, scopes: &[String]) -> Self {
        let url = authority.token_endpoint(tenant_id);
        let asked = format!("POST {url} for client {client_id}, scope {}", scopes.join(" "));
        Self::at(url, asked)
    }

    /// Another endpoint that is asked in the same way. `asked` says in words for whom.
    pub(super) fn at(url: Url, asked: String) -> Self {
        Self { audience: url.clone(), url, asked, route: Route::Proxied, trust: Trust::System }
    }

    /// What it is called in an assertion (RFC 7523, section 3).
    pub(crate) fn audience(&self) -> &str {
        self.audience.as_str()
    }

    /// The same endpoint behind a server beside us that passes requests on: with the path of the endpoint below that of
    /// `server`, and a trust of its own.
    pub(crate) fn behind(mut self, server: &Url, trust: Trust) -> Self {
        let mut url = server.clone();
        url.set_path(&format!("{}{}", server.path().trim_end_matches('/'), self.url.path()));
        self.asked = format!("{}, through {url}", self.asked);
        Self { url, route: Route::Direct, trust, ..self }
    }

    /// Its twin in a region, where it has one.
    pub(super) fn in_region(mut self, region: &str) -> Self {
        if let Some(twin) = region::twin(&self.url, region) {
            self.asked = self.asked.replacen(self.url.as_str(), twin.as_str(), 1);
            self.url = twin;
        }
        self
    }

    /// Shows a proof and a grant, and reads the answer. Nothing that was shown comes back in an error.
    pub(crate) async fn redeem(
        &self,
        platform: &Platform,
        deadline: Deadline,
        client_id: &str,
        proof: ClientProof<'_>,
        grant: &Grant<'_>,
        request: &TokenRequest,
    ) -> Result<Granted, Error> {
        let form = form(client_id, proof, grant, request)?;
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send(platform, deadline, &form).await.map_err(|error| {
            let shown = [proof.secret(), grant.secret()];
            shown.into_iter().flatten().fold(error, |error, secret| error.without(secret))
        })
    }

    async fn send(&self, platform: &Platform, deadline: Deadline, form: &[(&str, &str)]) -> Result<Granted, Error> {
        let (response, tried) = self.post(platform, deadline, form).await?;
        let granted_at = token_answer::time_of(&response, platform.clock());
        token_answer::parse_body(&response, platform.clock())
            .map(|(fetched, body)| Granted::new(fetched, body, granted_at))
            .map_err(|error| error.tried(tried))
    }

    /// Sends a form; the successful answer, and what it took, in words.
    pub(super) async fn post(
        &self,
        platform: &Platform,
        deadline: Deadline,
        form: &[(&str, &str)],
    ) -> Result<(HttpResponse, String), Error> {
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
        let response = sent.outcome.map_err(|error| {
            let failed = Error::failed(format!("Microsoft Entra could not be reached: {error}"))
                .tried(format!("{tried}, request id {request_id}"));
            let next = error
                .remedy()
                .unwrap_or("check the network, and HTTPS_PROXY if this machine reaches the internet through a proxy");
            failed.next(next).caused_by(error)
        })?;
        if response.status == 200 {
            return Ok((response, tried));
        }
        Err(error_answer::refusal(&response, platform.clock().unix_time()).tried(tried))
    }
}
