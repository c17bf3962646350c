//! The client that a credential signs in as: which app, where, and how it proves that it is that app.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::cloud::CloudConfiguration;
use zeroize::Zeroizing;

use super::grant::{ClientProof, Grant, Granted};
use super::{Authority, Tenants, TokenEndpoint, TokenProxy, check_client_id};
use crate::cache::Principal;
use crate::credentials::{EntraOptions, platform_for};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::platform::{Platform, Route};
use crate::token::TokenRequest;

/// How an app proves that it is the client.
pub(crate) enum Proof {
    /// Not at all: a public client, such as a program on somebody's laptop, can keep no secret (RFC 6749, section 2.1).
    None,
    /// With a secret.
    Secret(Zeroizing<String>),
    /// With an assertion, made or got anew for each exchange.
    Assertion(Arc<dyn AssertionSource>),
}

/// Where the assertions come from that an app shows in place of a secret (RFC 7523, section 2.2).
#[async_trait]
pub(crate) trait AssertionSource: Send + Sync {
    /// The assertion to show now.
    async fn assertion(&self, exchange: &Exchange<'_>) -> Result<Zeroizing<String>, Error>;
}

/// The exchange that an assertion is for.
#[derive(Clone, Copy)]
pub(crate) struct Exchange<'a> {
    /// The machine.
    pub(crate) platform: &'a Platform,
    /// When it must be there.
    pub(crate) deadline: Deadline,
    /// Whom it speaks for.
    pub(crate) client_id: &'a str,
    /// Who will read it: the URL of the token endpoint.
    pub(crate) audience: &'a str,
    /// The authority that the token endpoint belongs to.
    pub(crate) authority: &'a Authority,
}

/// An app at an authority, ready to redeem grants.
pub(crate) struct Client {
    pub(crate) authority: Authority,
    pub(crate) tenants: Tenants,
    pub(crate) client_id: String,
    pub(crate) proof: Proof,
    pub(crate) platform: Platform,
    proxy: Option<Arc<TokenProxy>>,
}

impl Client {
    /// Checks what can be checked before anything is sent. `options.cache` is the credential's.
    pub(crate) fn new(tenant_id: &str, client_id: &str, proof: Proof, options: &EntraOptions) -> Result<Self, Error> {
        let cloud = options.client_options.as_ref().and_then(|options| options.cloud.as_deref()).and_then(authority_of);
        let platform = platform_for(options.platform.clone(), options.client_options.clone(), Route::Proxied);
        check_client_id(client_id)?;
        Ok(Self {
            authority: Authority::new(options.authority.as_deref().or(cloud.as_deref()), platform.environment())?
                .for_tenant(tenant_id)?,
            tenants: Tenants::new(tenant_id.to_owned(), options.additionally_allowed_tenants.clone())?,
            client_id: client_id.to_owned(),
            proof,
            platform,
            proxy: None,
        })
    }

    /// The same client, whose requests go to a proxy of its cluster, where there is one.
    pub(crate) fn behind(self, proxy: Option<Arc<TokenProxy>>) -> Self {
        Self { proxy, ..self }
    }

    /// Who this is, for the cache: `kind` of credential, and `more` that sets it apart.
    pub(crate) fn principal(&self, kind: &str, more: &[Option<&str>]) -> Principal {
        let mut parts = vec![Some(self.authority.as_str()), Some(self.tenants.own()), Some(&*self.client_id)];
        if let Proof::Secret(secret) = &self.proof {
            parts.push(Some(secret));
        }
        parts.extend(more);
        Principal::new(kind, &parts)
    }

    /// Refuses a tenant that this client may not ask, before anything is sent.
    pub(crate) fn check_tenant(&self, request: &TokenRequest) -> Result<(), Error> {
        self.tenants.resolve(request.tenant_id.as_deref(), self.platform.environment()).map(drop)
    }

    /// Asks the token endpoint of the request's tenant.
    pub(crate) async fn redeem(
        &self,
        request: &TokenRequest,
        grant: &Grant<'_>,
        deadline: Deadline,
    ) -> Result<Granted, Error> {
        let target = self.tenants.resolve(request.tenant_id.as_deref(), self.platform.environment())?;
        let mut endpoint = TokenEndpoint::new(&self.authority, target.tenant_id, &self.client_id, &request.scopes);
        if let Some(proxy) = &self.proxy {
            endpoint = endpoint.behind(proxy.url(), proxy.trust(self.platform.files())?);
        }
        let outcome = match self.exchange(&endpoint, request, grant, deadline).await {
            // A new assertion may do: the old one was about to be replaced, or the trust in it is not known everywhere yet.
            Err(error) if matches!(self.proof, Proof::Assertion(_)) && is_about_the_assertion(&error) => {
                self.exchange(&endpoint, request, grant, deadline).await
            }
            outcome => outcome,
        };
        let granted = outcome?;
        target.confirm(&granted.fetched.token)?;
        Ok(granted)
    }

    async fn exchange(
        &self,
        endpoint: &TokenEndpoint,
        request: &TokenRequest,
        grant: &Grant<'_>,
        deadline: Deadline,
    ) -> Result<Granted, Error> {
        let assertion;
        let proof = match &self.proof {
            Proof::None => ClientProof::None,
            Proof::Secret(secret) => ClientProof::Secret(secret),
            Proof::Assertion(source) => {
                let (platform, client_id, authority) = (&self.platform, &*self.client_id, &self.authority);
                let exchange = Exchange { platform, deadline, client_id, audience: endpoint.url(), authority };
                assertion = source.assertion(&exchange).await?;
                ClientProof::Assertion(&assertion)
            }
        };
        endpoint.redeem(&self.platform, deadline, &self.client_id, proof, grant, request).await
    }
}

/// That the assertion is out of date, or that nobody knows it yet.
fn is_about_the_assertion(error: &Error) -> bool {
    let code = error.server_answer().and_then(|answer| answer.code.as_deref());
    matches!(code, Some("AADSTS700024" | "AADSTS700021" | "AADSTS70021"))
}

/// The authority of a cloud as `azure_core` configures it; `None` for the public one, which is the default anyway and
/// must not hide `AZURE_AUTHORITY_HOST`.
fn authority_of(cloud: &CloudConfiguration) -> Option<String> {
    match cloud {
        CloudConfiguration::AzureGovernment => Some("https://login.microsoftonline.us".into()),
        CloudConfiguration::AzureChina => Some("https://login.chinacloudapi.cn".into()),
        CloudConfiguration::Custom(custom) => Some(custom.authority_host.clone()),
        _ => None,
    }
}
