//! The identity of the Azure resource that runs this program.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::ClientOptions;

use super::platform_for;
use crate::cache::{Cache, Principal, Shared};
use crate::credential::{Cached, Source, credential_from_cached};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::expected_identity::{ExpectedIdentity, Guarded};
use crate::managed_identity::{Asked, Host, UserAssignedId, whose};
use crate::platform::{Platform, Route};
use crate::scope;
use crate::token::{Fetched, TokenRequest};

/// How long one call may take unless a user says so: an update of the metadata service takes up to 70 seconds.
const LIMIT: Duration = Duration::from_secs(75);

/// The variables in which hosts give their programs a secret.
const SECRETS: &[&str] = &["IDENTITY_HEADER", "MSI_SECRET"];

/// Authenticates the managed identity of the Azure resource that runs this program, system-assigned or user-assigned.
///
/// The host is told by variables when the credential is created, without a request, in this order:
///
/// | variables | host | a user-assigned identity by |
/// |---|---|---|
/// | `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`, `IDENTITY_SERVER_THUMBPRINT` | Service Fabric | (set up outside the program) |
/// | `IDENTITY_ENDPOINT`, `IDENTITY_HEADER` | App Service, Functions, Container Apps | client, object or resource id |
/// | `IDENTITY_ENDPOINT`, `IMDS_ENDPOINT` | Azure Arc | client, object or resource id |
/// | `MSI_ENDPOINT`, `MSI_SECRET`, `WEBSITE_SITE_NAME` or `WEBSITE_HOSTNAME` | App Service before 2019 | client id |
/// | `MSI_ENDPOINT`, `MSI_SECRET` | Azure Machine Learning; `DEFAULT_IDENTITY_CLIENT_ID` is its default | client id |
/// | `MSI_ENDPOINT` | Cloud Shell, with the identity of the person in it | |
/// | `AZURE_AUTHORITY_HOST`, `AZURE_TENANT_ID`, `AZURE_FEDERATED_TOKEN_FILE` | Kubernetes with workload identity; `AZURE_CLIENT_ID` is its default, `AZURE_KUBERNETES_TOKEN_PROXY` an AKS identity binding | client id |
/// | none, and the agent of Azure Arc is installed | Azure Arc | client, object or resource id |
/// | none | virtual machines, scale sets, container instances: the Instance Metadata Service (IMDS), at `AZURE_POD_IDENTITY_AUTHORITY_HOST` if that is set | client, object or resource id |
///
/// Requests to the host never go through a proxy. A host that would overlook the identity that is asked for is not asked,
/// and a token of another identity is thrown away. The secrets that a platform rotates are read anew for each request.
///
/// Each request takes exactly one scope, such as `https://vault.azure.net/.default`, or the resource itself. Tenant ids of
/// a request have no effect, and claims only make the host be asked anew: it knows neither.
///
/// # Patience
///
/// What may pass is tried again, with growing pauses and as `Retry-After` asks: throttling (429), failures (408, 5xx, 404
/// of IMDS), broken answers. An endpoint that is being updated (410), or that is configured and does not listen yet, as
/// when a container starts, is waited for up to 70 seconds. [`timeout`](ManagedIdentityCredentialOptions::timeout) ends
/// it all. Towards IMDS one process has at most 5 requests under way and starts at most 20 in a second.
///
/// While the host is throttled or down, a token that is still valid is returned; nobody waits for its replacement.
///
/// # Errors
///
/// [`Error::condition`](crate::Error::condition) tells apart what an endpoint can be in, from
/// [not being there](crate::Condition::NotThisHost) to [throttling](crate::Condition::Throttled).
///
/// ```no_run
/// use azure_core::credentials::TokenCredential;
/// use entrada::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let system_assigned = ManagedIdentityCredential::new(None)?;
/// let user_assigned = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
///     user_assigned_id: Some(UserAssignedId::ClientId("11111111-1111-4111-8111-111111111111".into())),
///     ..Default::default()
/// }))?;
/// let token = system_assigned.get_token(&["https://storage.azure.com/.default"], None).await?;
/// # let _ = (token, user_assigned);
/// # Ok(()) }
/// ```
pub struct ManagedIdentityCredential {
    cached: Cached,
}

/// Options for [`ManagedIdentityCredential`].
#[derive(Clone, Debug, Default)]
pub struct ManagedIdentityCredentialOptions {
    /// The user-assigned identity; by default the system-assigned one.
    pub user_assigned_id: Option<UserAssignedId>,
    /// The identity that tokens must be of; any by default.
    pub expected: ExpectedIdentity,
    /// How long one call may take, with all its attempts; 75 seconds by default, which is enough for an endpoint that is
    /// being updated or starts with its container.
    pub timeout: Option<Duration>,
    /// Whether the processes of this user on this machine share their tokens; by default each fetches its own.
    ///
    /// Of many workers that start together one asks the host, and the others read what it got. Tokens lie in files in
    /// memory (`/dev/shm/entrada-UID`, else `/run/user/UID/entrada`; mode 0600), sealed with a key that is derived from
    /// the id of this start of the machine, the user id and, where the host gave the program one, its secret. That keeps a
    /// copy of a file from being of use elsewhere or later. It does not keep tokens from this user's other programs, which
    /// may ask the host for them as well. Linux only; elsewhere, and where there is no such folder, each process fetches
    /// its own.
    pub share_between_processes: bool,
    /// The HTTP pipeline of a user's own. Its retries then count instead of the credential's. By default requests go
    /// through the client that all credentials share.
    pub client_options: Option<ClientOptions>,
    /// A cache of its own; by default the one of the process.
    pub cache: Option<Arc<Cache>>,
    /// The machine; by default the real one.
    pub platform: Option<Platform>,
}

impl ManagedIdentityCredential {
    /// Creates the credential. Nothing is sent; that this is no Azure host shows when a token is requested.
    ///
    /// # Errors
    /// Where an id cannot be right, or the time is none.
    pub fn new(options: Option<ManagedIdentityCredentialOptions>) -> Result<Arc<Self>, Error> {
        const NAME: &str = "ManagedIdentityCredential";
        let options = options.unwrap_or_default();
        let platform = platform_for(options.platform, options.client_options, Route::Direct);
        let id = options.user_assigned_id;
        let limit = options.timeout.unwrap_or(LIMIT);
        let check = || {
            id.as_ref().map(UserAssignedId::check).transpose()?;
            options.expected.check()?;
            if limit.is_zero() {
                return Err(Error::invalid_argument("timeout is zero").next("give the host some seconds"));
            }
            Ok(())
        };
        check().map_err(|error| error.credential(NAME))?;
        let host = Host::detect(&platform);
        let (id_kind, id_text) = id.as_ref().map(UserAssignedId::parts).unzip();
        let mut parts = vec![id_kind, id_text];
        parts.extend(options.expected.parts());
        parts.extend(host.as_ref().map(Host::parts).unwrap_or_default());
        let principal = Principal::new("managed identity", &parts);
        let source = ManagedIdentity { host, id, limit, platform: platform.clone() };
        let expected = options.expected;
        let cached = if options.share_between_processes {
            let shared = Shared::new(source, principal, platform.clone(), SECRETS);
            Cached::new(NAME, principal, Guarded::new(shared, expected), platform, options.cache)
        } else {
            Cached::new(NAME, principal, Guarded::new(source, expected), platform, options.cache)
        };
        Ok(Arc::new(Self { cached }))
    }
}

credential_from_cached!(ManagedIdentityCredential);

struct ManagedIdentity {
    host: Result<Host, Error>,
    id: Option<UserAssignedId>,
    limit: Duration,
    platform: Platform,
}

#[async_trait]
impl Source for ManagedIdentity {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        scope::single_resource(request).map(drop)
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        let host = self.host.as_ref().map_err(Error::clone)?;
        let asked = Asked {
            platform: &self.platform,
            resource: scope::single_resource(request)?,
            id: self.id.as_ref(),
            within_chain: request.within_chain,
            deadline: Deadline::after(self.platform.clock(), self.limit),
        };
        host.fetch(&asked, request).await
    }

    fn origin(&self) -> String {
        let host = self.host.as_ref().map(Host::to_string).unwrap_or_default();
        format!("{host}, {}", whose(self.id.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Credential;
    use crate::error::Outcome;
    use crate::platform::scripted::{Scripted, response};
    use crate::platform::{HttpError, HttpResponse};
    use crate::token::Token;

    const TOKEN: &str =
        r#"{"access_token":"t-1","expires_in":"86399","expires_on":"1800086400","resource":"r","token_type":"Bearer"}"#;
    const APP_SERVICE: &[(&str, &str)] =
        &[("IDENTITY_ENDPOINT", "http://127.0.0.1:41056/msi/token"), ("IDENTITY_HEADER", "h-1")];

    async fn token(machine: &Scripted, id: Option<UserAssignedId>, within_chain: bool) -> Result<Arc<Token>, Error> {
        let credential = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: id,
            platform: Some(machine.platform.clone()),
            cache: Some(Cache::new(Default::default())),
            ..Default::default()
        }))?;
        let mut request = TokenRequest::new(["https://vault.azure.net/.default"]);
        request.within_chain = within_chain;
        credential.token(&request).await
    }

    async fn sent(variables: &[(&str, &str)], id: Option<UserAssignedId>) -> (String, http::HeaderMap) {
        let machine = Scripted::new(variables).answers([Ok(response(200, TOKEN))]);
        let got = token(&machine, id, false).await.expect("a token");
        assert_eq!((got.secret(), got.expires_on()), ("t-1", 1_800_086_399));
        let sent = machine.http.sent().remove(0);
        assert_eq!(sent.route, Route::Direct);
        (sent.line, sent.headers)
    }

    #[tokio::test]
    async fn imds_is_asked_its_way() {
        let base = "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net";
        let guid = || "00000000-0000-4000-8000-000000000001".to_owned();
        let resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
        let (line, headers) = sent(&[], None).await;
        assert_eq!(line, base);
        assert_eq!(headers["metadata"], "true");
        let (line, _) = sent(&[], Some(UserAssignedId::ClientId(guid()))).await;
        assert_eq!(line, format!("{base}&client_id={}", guid()));
        let (line, _) = sent(&[], Some(UserAssignedId::ObjectId(guid()))).await;
        assert_eq!(line, format!("{base}&object_id={}", guid()));
        let (line, _) = sent(&[], Some(UserAssignedId::ResourceId(resource.into()))).await;
        assert!(line.contains("&msi_res_id=%2Fsubscriptions%2F"), "{line}");
    }

    #[tokio::test]
    async fn app_service_is_asked_its_way() {
        let guid = || "00000000-0000-4000-8000-000000000001".to_owned();
        let (line, headers) = sent(APP_SERVICE, Some(UserAssignedId::ObjectId(guid()))).await;
        assert_eq!(
            line,
            format!(
                "GET http://127.0.0.1:41056/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net&principal_id={}",
                guid()
            )
        );
        assert_eq!(headers["x-identity-header"], "h-1");
        assert!(headers["x-identity-header"].is_sensitive());
    }

    #[tokio::test]
    async fn app_service_recovers_from_an_empty_answer_and_a_late_start() {
        let machine = Scripted::new(APP_SERVICE).answers([
            Err(HttpError::Refused("refused".into())),
            Ok(response(200, "")),
            Ok(response(200, TOKEN)),
        ]);
        token(&machine, None, false).await.expect("a token");
        assert_eq!(machine.http.sent().len(), 3);
    }

    async fn refused_in_chain(answer: Result<HttpResponse, HttpError>) -> (Error, usize) {
        let machine = Scripted::new(&[]).answers([answer]);
        let error = token(&machine, None, true).await.expect_err("refused");
        (error, machine.http.sent().len())
    }

    #[tokio::test]
    async fn within_a_chain_one_quick_look_decides() {
        for answer in [
            Err(HttpError::Connect("no route".into())),
            Ok(response(403, "dial tcp 169.254.169.254:80: unreachable network")),
            Ok(response(200, "<html>Welcome to the hotel</html>")),
            Ok(response(200, TOKEN)),
        ] {
            let (error, requests) = refused_in_chain(answer).await;
            assert_eq!(error.outcome(), Outcome::Unavailable, "{error}");
            assert_eq!(requests, 1, "{error}");
            assert!(!error.to_string().contains("t-1"), "{error}");
        }
    }

    #[tokio::test]
    async fn within_a_chain_the_service_is_known_by_its_refusal() {
        let alive = r#"{"error":"bad_request_102","error_description":"Required metadata header not specified"}"#;
        let machine = Scripted::new(&[]).answers([Ok(response(400, alive)), Ok(response(200, TOKEN))]);
        token(&machine, None, true).await.expect("a token");
        let sent = machine.http.sent();
        assert!(!sent[0].headers.contains_key("metadata"));
        assert!(sent[1].headers.contains_key("metadata"));
    }

    #[tokio::test]
    async fn an_identity_that_is_not_assigned_is_told_in_the_hosts_words() {
        let body = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
        let machine = Scripted::new(&[]).answers([Ok(response(400, body))]);
        let id = UserAssignedId::ClientId("c-1".into());
        let error = token(&machine, Some(id), false).await.expect_err("refused");
        let text = error.to_string();
        assert!(text.contains("client id c-1 is not assigned"), "{text}");
        assert!(text.contains("Identity not found"), "{text}");
        assert_eq!(error.outcome(), Outcome::Unavailable);
    }
}
