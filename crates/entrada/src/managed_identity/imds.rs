//! The Instance Metadata Service of virtual machines, API version 2018-02-01.
//!
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

use super::UserAssignedId;
use super::answer::{refusal, said, whose};
use super::host::url;
use super::token_url::{Parameters, token_url};
use crate::error::Error;
use crate::platform::{Environment, HttpRequest, HttpResponse, Platform, Route};
use crate::retry::Retry;
use crate::token::Fetched;
use crate::token_answer::{self, describe};

const HOST: &str = "virtual machine";
const LINK_LOCAL: &str = "http://169.254.169.254";
const PATH: &str = "/metadata/identity/oauth2/token";
const PARAMETERS: Parameters =
    Parameters { api_version: "2018-02-01", object_id: "object_id", resource_id: "msi_res_id" };
const TIMEOUT: Duration = Duration::from_secs(30);
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// Microsoft's guidance: 404, 429 and 5xx five times with growing pauses; 410 is gone within 70 seconds.
const RETRY: Retry = Retry {
    attempts: 6,
    attempts_unanswered: 4,
    first_pause: Duration::from_millis(800),
    deadline: Duration::from_secs(75),
    transient: |response| matches!(response.status, 404 | 408 | 410 | 429 | 500..=599),
};

/// The metadata service.
#[derive(Debug)]
pub(crate) struct Imds {
    endpoint: Url,
    /// Whether it is certain that it is there.
    certain: AtomicBool,
}

impl Imds {
    /// At `AZURE_POD_IDENTITY_AUTHORITY_HOST`, else at its link-local address.
    pub(super) fn detect(environment: &dyn Environment) -> Result<Self, Error> {
        const NAME: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
        let configured = environment.var(NAME);
        let base = configured.as_deref().unwrap_or(LINK_LOCAL);
        let mut endpoint = url(NAME, base)?;
        endpoint.set_path(&format!("{}{PATH}", endpoint.path().trim_end_matches('/')));
        Ok(Self { endpoint, certain: AtomicBool::new(configured.is_some()) })
    }

    pub(super) fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    pub(super) async fn fetch(
        &self,
        platform: &Platform,
        resource: &str,
        id: Option<&UserAssignedId>,
        within_chain: bool,
    ) -> Result<Fetched, Error> {
        if within_chain && !self.certain.load(Ordering::Relaxed) {
            self.probe(platform, resource).await?;
            self.certain.store(true, Ordering::Relaxed);
        }
        let request = self
            .request(resource, id, TIMEOUT)
            .header(HeaderName::from_static("metadata"), HeaderValue::from_static("true"));
        let tried = format!("{request:?} for {}", whose(id));
        let response =
            RETRY.send(platform, &request).await.map_err(|error| self.absent(&error.to_string()).tried(&*tried))?;
        let outcome = if response.status == 200 && is_object(&response) {
            token_answer::parse(&response, platform.clock())
        } else if response.status == 200 || !is_imds(&response) {
            Err(self.stranger(&response))
        } else {
            Err(refusal(HOST, &response, id))
        };
        outcome.map_err(|error| error.tried(tried))
    }

    /// Finds out quickly whether there is a metadata service. Without the header `Metadata` it refuses at once, without
    /// asking anybody else for a token; anything but its refusal is somebody else's.
    async fn probe(&self, platform: &Platform, resource: &str) -> Result<(), Error> {
        let request = self.request(resource, None, PROBE_TIMEOUT);
        let tried = format!("{request:?} as a probe");
        match platform.http().send(&request).await {
            Ok(response) if is_imds(&response) => Ok(()),
            Ok(response) => Err(self.stranger(&response).tried(tried)),
            Err(error) => Err(self.absent(&error.to_string()).tried(tried)),
        }
    }

    fn request(&self, resource: &str, id: Option<&UserAssignedId>, timeout: Duration) -> HttpRequest {
        let url = token_url(&self.endpoint, &PARAMETERS, resource, id);
        HttpRequest::get(url, Route::Direct, timeout)
    }

    fn absent(&self, why: &str) -> Error {
        Error::unavailable(format!("there is no metadata service here: {why}")).next(
            "this is normal outside Azure; on a virtual machine, check that its network lets 169.254.169.254 through",
        )
    }

    fn stranger(&self, response: &HttpResponse) -> Error {
        Error::unavailable("something that is not the metadata service answers in its place")
            .answer(describe(response))
            .next("this is normal in Docker Desktop, behind captive portals and behind some proxies")
    }
}

/// The metadata service says who it is, or refuses in its own JSON.
fn is_imds(response: &HttpResponse) -> bool {
    let named = response.header("server").is_some_and(|server| server.starts_with("IMDS"));
    named || said(response).is_some_and(|said| said.error.is_some())
}

fn is_object(response: &HttpResponse) -> bool {
    // An answer that breaks off is still an answer of its kind, and is reported as broken.
    response.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}
