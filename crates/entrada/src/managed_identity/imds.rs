//! The Instance Metadata Service of virtual machines, scale sets and container instances, API version 2018-02-01.
//!
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

use super::answer::{has_error, is_json, refusal, token};
use super::exchange::{Asked, Heard, TIMEOUT};
use super::host::url;
use super::metadata_service::MetadataService;
use super::token_url::Parameters;
use crate::cache::Joined;
use crate::error::{Condition, Error};
use crate::platform::{Environment, HttpError, HttpRequest, HttpResponse, Platform, Route};
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
/// How long a probe waits for its turn: whoever is before it does not know either whether there is a service.
const QUEUE: Duration = Duration::from_secs(5);
/// Microsoft's guidance: 404, 429 and 5xx five times with growing pauses; 410 is gone within 70 seconds.
const RETRY: Retry =
    Retry { attempts: 6, attempts_unanswered: 4, first_pause: Duration::from_millis(800), again: if_alone };
/// Within a chain a service that is not there must not hold up the others.
const RETRY_WITHIN_CHAIN: Retry = Retry { again: if_one_of_many, ..RETRY };

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
}

impl Imds {
    /// At `AZURE_POD_IDENTITY_AUTHORITY_HOST`, else at its link-local address.
    pub(super) fn detect(environment: &dyn Environment) -> Result<Self, Error> {
        const NAME: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
        let configured = environment.var(NAME);
        let base = configured.as_deref().unwrap_or(LINK_LOCAL);
        let mut endpoint = url(NAME, base)?;
        endpoint.set_path(&format!("{}{PATH}", endpoint.path().trim_end_matches('/')));
        Ok(Self { endpoint, configured: configured.is_some() })
    }

    pub(super) fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    pub(super) async fn fetch(&self, asked: &Asked<'_>) -> Result<Fetched, Error> {
        if asked.within_chain && !self.configured && !self.is_seen(asked.platform) {
            self.look(asked.platform).await?;
        }
        let request =
            self.request(asked, TIMEOUT)?.header(HeaderName::from_static("metadata"), HeaderValue::from_static("true"));
        let doubtful = asked.within_chain && !self.is_seen(asked.platform);
        let retry = if doubtful { &RETRY_WITHIN_CHAIN } else { &RETRY };
        let service = service(asked.platform);
        let sent = asked.send(retry, Some(service.limiter()), request).await;
        let heard = sent.map_err(|(error, tried)| silent(&error, self.is_seen(asked.platform)).tried(tried))?;
        self.read(asked, &heard).map_err(|error| error.condition_of(Condition::Broken).tried(heard.tried))
    }

    fn read(&self, asked: &Asked<'_>, heard: &Heard) -> Result<Fetched, Error> {
        let response = &heard.response;
        match response.status {
            200 if is_object(response) => {
                let outcome = token(HOST, response, asked);
                // Other services have JSON, too.
                if outcome.is_ok() || is_imds(response) {
                    service(asked.platform).see(self.endpoint());
                }
                outcome
            }
            _ if is_imds(response) => Err(refusal(HOST, response, asked.id)),
            // Where the service has been seen, what stands before it now and then does not take it away.
            200 if self.is_seen(asked.platform) => token(HOST, response, asked),
            500..=599 if self.is_seen(asked.platform) => Err(refusal(HOST, response, asked.id)),
            _ => Err(stranger(response)),
        }
    }

    fn is_seen(&self, platform: &Platform) -> bool {
        service(platform).is_seen(self.endpoint())
    }

    /// Finds out quickly whether there is a metadata service; once for all who want to know at the same time.
    async fn look(&self, platform: &Platform) -> Result<(), Error> {
        let landed = || self.is_seen(platform).then_some(());
        let departure = || {
            let (platform, endpoint) = (platform.clone(), self.endpoint.clone());
            Box::pin(async move { probe(&platform, &endpoint).await }) as _
        };
        match service(platform).looks().join(self.endpoint().to_owned(), landed, departure) {
            Joined::Landed(()) => Ok(()),
            Joined::Flight(look) => look.wait().await,
        }
    }

    fn request(&self, asked: &Asked<'_>, timeout: Duration) -> Result<HttpRequest, Error> {
        let url = PARAMETERS.url(HOST, &self.endpoint, asked.resource, asked.id)?;
        Ok(HttpRequest::get(url, Route::Direct, timeout))
    }
}

/// What this process knows of the metadata service.
fn service(platform: &Platform) -> Arc<MetadataService> {
    platform.memory().of()
}

/// Asks without the header `Metadata`: the service refuses that at once, without asking anybody else for a token. Anything
/// but its refusal is somebody else's.
async fn probe(platform: &Platform, endpoint: &Url) -> Result<(), Error> {
    let mut url = endpoint.clone();
    url.set_query(Some(&format!("api-version={}", PARAMETERS.api_version)));
    let request = HttpRequest::get(url, Route::Direct, PROBE_TIMEOUT);
    let tried = format!("{request:?}, to see whether there is one");
    let service = service(platform);
    let sent = match service.limiter().enter(platform.clock(), QUEUE).await {
        Some(_place) => platform.http().send(&request).await,
        None => Err(HttpError::Queued(QUEUE)),
    };
    match sent {
        Ok(response) if is_imds(&response) => {
            service.see(endpoint.as_str());
            Ok(())
        }
        Ok(response) => Err(stranger(&response).tried(tried)),
        Err(error) => Err(silent(&error, false).tried(tried)),
    }
}

fn silent(error: &HttpError, seen: bool) -> Error {
    if matches!(error, HttpError::Queued(_)) {
        return Error::failed(format!("the metadata service was not asked: this program {error}"))
            .condition_of(Condition::Throttled)
            .next("ask for fewer different tokens at once, or allow more time");
    }
    if seen {
        return Error::failed(format!("the metadata service does not answer any more: {error}"))
            .condition_of(Condition::Broken)
            .next("try again later; if it stays, restart this virtual machine");
    }
    let condition = match error {
        HttpError::Refused(_) => Condition::NotListening,
        _ => Condition::NotThisHost,
    };
    Error::unavailable(format!("there is no metadata service here: {error}")).condition_of(condition).next(
        "this is normal outside Azure; on a virtual machine, check that its network lets 169.254.169.254 through; \
         in a container that has just started, ManagedIdentityCredential by itself waits for it",
    )
}

fn stranger(response: &HttpResponse) -> Error {
    Error::unavailable("something that is not the metadata service answers in its place")
        .condition_of(Condition::NotThisHost)
        .answer(describe(response))
        .next("this is normal in Docker Desktop, behind captive portals and behind some proxies")
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::cache::Cache;
    use crate::credential::Credential;
    use crate::credentials::{ManagedIdentityCredential, ManagedIdentityCredentialOptions};
    use crate::platform::scripted::{Scripted, response};
    use crate::platform::{Http, SystemClock};
    use crate::token::TokenRequest;

    /// A metadata service that counts, and answers when it is let.
    struct Service {
        asked: Mutex<Vec<bool>>,
        looked_at: Semaphore,
        open: Semaphore,
    }

    #[async_trait]
    impl Http for Service {
        async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
            let has_header = request.headers.contains_key("metadata");
            self.asked.lock().expect("no panic").push(has_header);
            let gate = if has_header { &self.open } else { &self.looked_at };
            drop(gate.acquire().await.expect("a gate"));
            Ok(match has_header {
                true => response(200, r#"{"access_token":"t","expires_in":"3600"}"#),
                false => response(400, r#"{"error":"bad_request_102","error_description":"Required metadata header"}"#),
            })
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn many_in_chains_look_once_and_no_more_than_five_ask_at_once() {
        let http = Arc::new(Service { asked: Mutex::default(), looked_at: Semaphore::new(0), open: Semaphore::new(0) });
        let platform = Scripted::new(&[]).platform.with_clock(Arc::new(SystemClock)).with_http(http.clone());
        let cache = Cache::new(Default::default());
        let callers: Vec<_> = (0..16)
            .map(|number| {
                let credential = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    platform: Some(platform.clone()),
                    cache: Some(Arc::clone(&cache)),
                    ..Default::default()
                }))
                .expect("valid");
                let mut request = TokenRequest::new([format!("https://resource-{number}.example")]);
                request.within_chain = true;
                tokio::spawn(async move { credential.token(&request).await })
            })
            .collect();
        let asked =
            |has_header: bool| http.asked.lock().expect("no panic").iter().filter(|it| **it == has_header).count();
        while asked(false) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!((asked(false), asked(true)), (1, 0));
        // The look ends; now up to five may ask.
        http.looked_at.add_permits(1);
        while asked(true) < 5 {
            tokio::task::yield_now().await;
        }
        assert_eq!(asked(true), 5);
        http.open.add_permits(1);
        for caller in callers {
            caller.await.expect("no panic").expect("a token");
        }
        assert_eq!((asked(false), asked(true)), (1, 16));
    }
}
