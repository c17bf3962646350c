//! The journal: every exchange of a run, without secrets and tokens.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How many exchanges a journal keeps; older ones are dropped.
pub const CAPACITY: usize = 10_000;

/// Who answered an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// The gateway itself: it refused a name, or TLS failed.
    Gateway,
    /// Entra's authority.
    Entra,
    /// The instance metadata service of a virtual machine, or of a container group.
    Imds,
    /// The identity endpoint of App Service, Functions and Container Apps.
    AppService,
    /// The managed identity endpoint of Service Fabric.
    ServiceFabric,
    /// The agent of Azure Arc.
    AzureArc,
    /// The identity endpoint of Azure Machine Learning.
    AzureMl,
    /// The identity endpoint of Cloud Shell.
    CloudShell,
    /// Key Vault.
    KeyVault,
    /// Azure Resource Manager.
    ResourceManager,
    /// Blob storage.
    Blob,
    /// Microsoft Graph.
    Graph,
    /// An API of one's own.
    Api,
    /// The service that gives jobs of GitHub Actions their tokens.
    #[serde(rename = "github-actions")]
    GitHubActions,
    /// Azure DevOps, which gives jobs of Azure Pipelines their tokens.
    AzurePipelines,
    /// What issuers of tokens publish of themselves.
    Issuer,
}

impl Service {
    /// Every service.
    pub const ALL: [Service; 16] = [
        Service::Gateway,
        Service::Entra,
        Service::Imds,
        Service::AppService,
        Service::ServiceFabric,
        Service::AzureArc,
        Service::AzureMl,
        Service::CloudShell,
        Service::KeyVault,
        Service::ResourceManager,
        Service::Blob,
        Service::Graph,
        Service::Api,
        Service::GitHubActions,
        Service::AzurePipelines,
        Service::Issuer,
    ];

    /// Whether the service hands out tokens of managed identities.
    #[must_use]
    pub fn is_managed_identity(self) -> bool {
        matches!(
            self,
            Service::Imds
                | Service::AppService
                | Service::ServiceFabric
                | Service::AzureArc
                | Service::AzureMl
                | Service::CloudShell
        )
    }

    /// The name used in rules and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Service::Gateway => "gateway",
            Service::Entra => "entra",
            Service::Imds => "imds",
            Service::AppService => "app-service",
            Service::ServiceFabric => "service-fabric",
            Service::AzureArc => "azure-arc",
            Service::AzureMl => "azure-ml",
            Service::CloudShell => "cloud-shell",
            Service::KeyVault => "key-vault",
            Service::ResourceManager => "resource-manager",
            Service::Blob => "blob",
            Service::Graph => "graph",
            Service::Api => "api",
            Service::GitHubActions => "github-actions",
            Service::AzurePipelines => "azure-pipelines",
            Service::Issuer => "issuer",
        }
    }
}

/// One request and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Position in the run, from 1.
    pub sequence: u64,
    /// When the request had arrived, in milliseconds since 1970, UTC.
    pub started_unix_ms: u64,
    /// How long the answer took, in milliseconds.
    pub duration_ms: f64,
    /// Host the request was sent to.
    pub host: String,
    /// Method.
    pub method: String,
    /// Path, as sent.
    pub path: String,
    /// Query, with the values of secret parameters replaced by `***`.
    pub query: String,
    /// Request headers that tell what a client does and hold no secret.
    pub headers: BTreeMap<String, String>,
    /// Status of the answer; 0 when the connection was closed without one.
    pub status: u16,
    /// Who answered.
    pub service: Service,
    /// The principal that signed in or was authorized.
    pub principal: Option<Principal>,
    /// The grant by which a token was asked for (`client_credentials`, `managed_identity`).
    pub grant: Option<String>,
    /// The audience of the token that was issued or shown.
    pub audience: Option<String>,
    /// Short reason of a refusal, or the fault that was applied.
    pub note: Option<String>,
}

impl Exchange {
    /// Whether the exchange failed in a way a user should hear of: no answer, an error of an identity endpoint
    /// or of the gateway, a refused token or a missing role, or an error of the emulator. That a blob or a secret
    /// does not exist is ordinary, and so is the challenge to a first request without a token, and a device that polls
    /// while its person signs in.
    #[must_use]
    pub fn refused(&self) -> bool {
        let signs_in = matches!(
            self.service,
            Service::Gateway | Service::Entra | Service::GitHubActions | Service::AzurePipelines
        ) || self.service.is_managed_identity();
        match self.status {
            0 | 500.. => true,
            401 | 403 => self.note.as_deref() != Some(CHALLENGE),
            400.. => signs_in && !self.note.as_deref().is_some_and(|note| note.starts_with(WAITING)),
            _ => false,
        }
    }
}

/// The note of an answer that asks for a token.
pub const CHALLENGE: &str = "challenge";

/// How the note of a device that waits for its person begins.
const WAITING: &str = "AADSTS70016:";

/// The note of a page that was shown where no person is: the program that opened it waits in vain.
pub const NOBODY_THERE: &str = "a page was shown, and nobody is there to read it; say who signs in with --sign-in-as";

/// A principal, as the journal names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Display name.
    pub name: String,
    /// Object id.
    pub object_id: String,
    /// Client id, of everything but users.
    pub client_id: Option<String>,
}

#[derive(Debug, Default)]
struct Pages {
    exchanges: VecDeque<Exchange>,
    written: u64,
    readers: Vec<UnboundedSender<Exchange>>,
}

/// The journal of a run. Cheap to clone; all clones are the same journal.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Pages>>);

impl Journal {
    /// Every exchange since the start or the last [`clear`](Self::clear), oldest first, at most
    /// [`CAPACITY`].
    #[must_use]
    pub fn entries(&self) -> Vec<Exchange> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.exchanges.iter().cloned().collect()
    }

    /// Forgets all exchanges; the sequence goes on.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).exchanges.clear();
    }

    /// Every exchange from now on, as it is written.
    #[must_use]
    pub fn follow(&self) -> UnboundedReceiver<Exchange> {
        let (sender, receiver) = unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).readers.push(sender);
        receiver
    }

    pub(crate) fn write(&self, mut exchange: Exchange) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.written += 1;
        exchange.sequence = pages.written;
        pages.readers.retain(|reader| reader.send(exchange.clone()).is_ok());
        if pages.exchanges.len() == CAPACITY {
            pages.exchanges.pop_front();
        }
        pages.exchanges.push_back(exchange);
    }

    /// Ends every follower's stream.
    pub(crate) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).readers.clear();
    }
}

/// Request headers a journal shows: none can hold a credential.
const SHOWN_HEADERS: [&str; 12] = [
    "accept",
    "client-request-id",
    "content-length",
    "content-type",
    "metadata",
    "return-client-request-id",
    "user-agent",
    "x-client-sku",
    "x-client-ver",
    "x-ms-client-request-id",
    "x-ms-range",
    "x-ms-version",
];

/// The headers to show of a request, long values cut.
pub(crate) fn shown_headers(headers: &http::HeaderMap) -> BTreeMap<String, String> {
    SHOWN_HEADERS
        .iter()
        .filter_map(|name| {
            let value = headers.get(*name)?.to_str().ok()?;
            Some(((*name).to_owned(), value.chars().take(200).collect()))
        })
        .collect()
}

/// Writes a query again with the values of parameters that could hold a secret replaced.
pub(crate) fn shown_query(query: &[(String, String)]) -> String {
    let mut shown = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in query {
        let lower = name.to_ascii_lowercase();
        let secret =
            ["secret", "token", "assertion", "password", "code", "sig", "key"].iter().any(|part| lower.contains(part));
        shown.append_pair(name, if secret { "***" } else { value });
    }
    let mut text = shown.finish();
    if text.len() > 2_000 {
        text.truncate(2_000);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::shown_query;

    #[test]
    fn queries_are_shown_without_secrets() {
        let query = [("api-version", "1"), ("sig", "abc"), ("client_secret", "s3cret")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(shown_query(&query), "api-version=1&sig=***&client_secret=***");
    }
}
