//! The Instance Metadata Service of virtual machines, scale sets and container instances, API version 2018-02-01.
//!
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

use super::answer::{has_error, is_json, refusal, token};
use super::exchange::{Asked, Heard, TIMEOUT};
use super::host::url;
use super::token_url::Parameters;
use crate::error::{Condition, Error};
use crate::platform::{Environment, HttpError, HttpRequest, HttpResponse, Route};
use crate::retry::{Again, Outcome, Retry};
use crate::token::Fetched;
use crate::token_answer::describe;

const HOST: &str = "virtual machine";
const LINK_LOCAL: &str = "http://169.254.169.254";
const PATH: &str = "/metadata/identity/oauth2/token";
const PARAMETERS: Parameters = Parameters {
    api_version: "2018-02-01",
    client_id: Some("client_id"),
    object_id: Some("object_id"),
    resource_id: Some("msi_res_id"),
};
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// Microsoft's guidance: 404, 429 and 5xx five times with growing pauses; 410 is gone within 70 seconds.
const RETRY: Retry =
    Retry { attempts: 6, attempts_unanswered: 4, first_pause: Duration::from_millis(800), again: if_alone };
/// Within a chain a service that is not there must not hold up the others.
const RETRY_WITHIN_CHAIN: Retry = Retry { again: if_one_of_many, ..RETRY };
/// A probe is sent once.
const PROBE: Retry =
    Retry { attempts: 1, attempts_unanswered: 1, first_pause: Duration::ZERO, again: |_| Again::Never };

fn if_alone(outcome: &Outcome) -> Again {
    match outcome {
        // A container instance starts its endpoint later than its programs.
        Err(HttpError::Refused(_)) => Again::Patiently,
        other => if_one_of_many(other),
    }
}

fn if_one_of_many(outcome: &Outcome) -> Again {
    match outcome {
        Err(HttpError::Refused(_)) => Again::Never,
        Err(error) if error.is_transient() => Again::Soon,
        Err(_) => Again::Never,
        Ok(response) => match response.status {
            410 => Again::Patiently,
            404 | 408 | 429 | 500..=599 => Again::Soon,
            // Cut off or empty, but not somebody else's page.
            200 if response.body.is_empty() || is_object(response) && !is_json(response) => Again::Soon,
            _ => Again::Never,
        },
    }
}

/// The metadata service.
#[derive(Debug)]
pub(crate) struct Imds {
    endpoint: Url,
    /// Whether somebody has said in a variable where it is, so that nobody needs to look for it.
    configured: bool,
    /// Whether it has been seen.
    seen: AtomicBool,
}

impl Imds {
    /// At `AZURE_POD_IDENTITY_AUTHORITY_HOST`, else at its link-local address.
    pub(super) fn detect(environment: &dyn Environment) -> Result<Self, Error> {
        const NAME: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
        let configured = environment.var(NAME);
        let base = configured.as_deref().unwrap_or(LINK_LOCAL);
        let mut endpoint = url(NAME, base)?;
        endpoint.set_path(&format!("{}{PATH}", endpoint.path().trim_end_matches('/')));
        Ok(Self { endpoint, configured: configured.is_some(), seen: AtomicBool::new(false) })
    }

    pub(super) fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    pub(super) async fn fetch(&self, asked: &Asked<'_>) -> Result<Fetched, Error> {
        if asked.within_chain && !self.configured && !self.seen() {
            self.probe(asked).await?;
        }
        let request =
            self.request(asked, TIMEOUT)?.header(HeaderName::from_static("metadata"), HeaderValue::from_static("true"));
        let retry = if asked.within_chain { &RETRY_WITHIN_CHAIN } else { &RETRY };
        let limiter = asked.platform.imds_limiter();
        let sent = asked.send(retry, Some(limiter), request).await;
        let heard = sent.map_err(|(error, tried)| self.silent(&error).tried(tried))?;
        self.read(asked, &heard).map_err(|error| error.condition_of(Condition::Broken).tried(heard.tried))
    }

    fn read(&self, asked: &Asked<'_>, heard: &Heard) -> Result<Fetched, Error> {
        let response = &heard.response;
        match response.status {
            200 if is_object(response) => {
                self.seen.store(true, Ordering::Relaxed);
                token(HOST, response, asked)
            }
            // Where the service has been seen, what stands before it now and then does not take it away.
            200 if !self.seen() => Err(self.stranger(response)),
            200 => token(HOST, response, asked),
            500..=599 if self.seen() => Err(refusal(HOST, response, asked.id)),
            _ if is_imds(response) => Err(refusal(HOST, response, asked.id)),
            _ => Err(self.stranger(response)),
        }
    }

    /// Finds out quickly whether there is a metadata service. Without the header `Metadata` it refuses at once, without
    /// asking anybody else for a token; anything but its refusal is somebody else's.
    async fn probe(&self, asked: &Asked<'_>) -> Result<(), Error> {
        let mut request = self.request(asked, PROBE_TIMEOUT)?;
        request.url.set_query(Some(&format!("api-version={}", PARAMETERS.api_version)));
        match asked.send(&PROBE, Some(asked.platform.imds_limiter()), request).await {
            Ok(heard) if is_imds(&heard.response) => {
                self.seen.store(true, Ordering::Relaxed);
                Ok(())
            }
            Ok(heard) => Err(self.stranger(&heard.response).tried(heard.tried)),
            Err((error, tried)) => Err(self.silent(&error).tried(tried)),
        }
    }

    fn seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }

    fn request(&self, asked: &Asked<'_>, timeout: Duration) -> Result<HttpRequest, Error> {
        let url = PARAMETERS.url(HOST, &self.endpoint, asked.resource, asked.id)?;
        Ok(HttpRequest::get(url, Route::Direct, timeout))
    }

    fn silent(&self, error: &HttpError) -> Error {
        if self.seen() {
            return Error::failed(format!("the metadata service does not answer any more: {error}"))
                .condition_of(Condition::Broken)
                .next("try again later; if it stays, restart this virtual machine");
        }
        let condition = match error {
            HttpError::Refused(_) => Condition::NotListening,
            _ => Condition::NotThisHost,
        };
        Error::unavailable(format!("there is no metadata service here: {error}")).condition_of(condition).next(
            "this is normal outside Azure; on a virtual machine, check that its network lets 169.254.169.254 through",
        )
    }

    fn stranger(&self, response: &HttpResponse) -> Error {
        Error::unavailable("something that is not the metadata service answers in its place")
            .condition_of(Condition::NotThisHost)
            .answer(describe(response))
            .next("this is normal in Docker Desktop, behind captive portals and behind some proxies")
    }
}

/// The metadata service says who it is, or refuses in its own JSON.
fn is_imds(response: &HttpResponse) -> bool {
    let named = response.header("server").is_some_and(|server| server.starts_with("IMDS"));
    named || has_error(response)
}

fn is_object(response: &HttpResponse) -> bool {
    // An answer that breaks off is still an answer of its kind, and is reported as broken.
    response.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}
