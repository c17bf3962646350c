//! The client that a credential signs in as: which app, where, and how it proves that it is that app.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::cloud::CloudConfiguration;
use zeroize::Zeroizing;

use super::authority::{Kind, is_placeholder};
use super::grant::{ClientProof, Grant, Granted};
use super::region::Region;
use super::{Authority, Tenants, TokenEndpoint, TokenProxy, check_client_id, discovery};
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
    /// Where an app that asks for itself is served; the error of a wrong name, which only those must see.
    region: Result<Region, Error>,
    disable_instance_discovery: bool,
}

impl Client {
    /// Checks what can be checked before anything is sent. `options.cache` is the credential's.
    pub(crate) fn new(tenant_id: &str, client_id: &str, proof: Proof, options: &EntraOptions) -> Result<Self, Error> {
        let cloud = options.client_options.as_ref().and_then(|options| options.cloud.as_deref()).and_then(authority_of);
        let platform = platform_for(options.platform.clone(), options.client_options.clone(), Route::Proxied);
        check_client_id(client_id)?;
        let machine = options.platform.clone().unwrap_or_else(Platform::system);
        Ok(Self {
            authority: Authority::new(options.authority.as_deref().or(cloud.as_deref()), platform.environment())?
                .for_tenant(tenant_id)?,
            tenants: Tenants::new(tenant_id.to_owned(), options.additionally_allowed_tenants.clone())?,
            client_id: client_id.to_owned(),
            proof,
            platform,
            proxy: None,
            region: Region::read(&machine),
            disable_instance_discovery: options.disable_instance_discovery,
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

    /// Refuses, for an app that asks for itself, a tenant that stands for those of whoever signs in, and a region that is none.
    pub(crate) fn check_app_only(&self, request: &TokenRequest) -> Result<(), Error> {
        if let Err(error) = &self.region {
            return Err(error.clone());
        }
        let target = self.tenants.resolve(request.tenant_id.as_deref(), self.platform.environment())?;
        if is_placeholder(target.tenant_id) {
            return Err(Error::invalid_argument(format!(
                "\"{}\" stands for the tenants of users who sign in; an app that signs in by itself does so at one tenant",
                target.tenant_id
            ))
            .next("pass the tenant's id: a GUID, or a domain such as contoso.onmicrosoft.com"));
        }
        Ok(())
    }

    /// Refuses an authority that is not known to be Entra's, after asking the public cloud about it, once a process. Whoever
    /// sends a person or a request there by other means than [`redeem`](Self::redeem) asks this first.
    pub(crate) async fn confirm_authority(&self, tenant_id: &str, deadline: Deadline) -> Result<(), Error> {
        if self.disable_instance_discovery {
            return Ok(());
        }
        discovery::confirm(&self.authority, tenant_id, &self.platform, deadline).await
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
            // It knows where to pass requests on to.
            endpoint = endpoint.behind(proxy.url(), proxy.trust(self.platform.files())?);
        } else {
            self.confirm_authority(target.tenant_id, deadline).await?;
            if matches!(grant, Grant::ClientCredentials)
                && self.authority.kind() == Kind::Entra
                && let Some(region) = self.region.as_ref().map_err(Clone::clone)?.name().await
            {
                endpoint = endpoint.in_region(&region);
            }
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
                let exchange = Exchange { platform, deadline, client_id, audience: endpoint.audience(), authority };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::scripted::{Scripted, response};

    const TOKEN: &str = r#"{"access_token":"t","expires_in":3600}"#;
    const INVALID: &str =
        r#"{"error":"invalid_instance","error_description":"AADSTS50049: Unknown or invalid instance."}"#;

    fn client(machine: &Scripted, tenant_id: &str, authority: &str, trusted: bool) -> Client {
        let options = EntraOptions {
            authority: Some(authority.into()),
            disable_instance_discovery: trusted,
            platform: Some(machine.platform.clone()),
            ..Default::default()
        };
        let proof = Proof::Secret(Zeroizing::new("s-1".into()));
        Client::new(tenant_id, "c", proof, &options).expect("a client")
    }

    async fn redeem(client: &Client, grant: Grant<'_>) -> Result<Granted, Error> {
        let deadline = Deadline::after(client.platform.clock(), std::time::Duration::from_secs(60));
        client.redeem(&TokenRequest::new(["https://vault.azure.net/.default"]), &grant, deadline).await
    }

    #[tokio::test]
    async fn only_an_app_that_asks_for_itself_is_served_in_its_region() {
        let machine = Scripted::new(&[("AZURE_REGIONAL_AUTHORITY_NAME", "westeurope")])
            .answers(std::iter::repeat_with(|| Ok(response(200, TOKEN))).take(3));
        let public = client(&machine, "t", "login.microsoftonline.com", false);
        redeem(&public, Grant::ClientCredentials).await.expect("a token");
        redeem(&public, Grant::RefreshToken("r")).await.expect("a token");
        let adfs = client(&machine, "adfs", "https://adfs.stack.test", false);
        redeem(&adfs, Grant::ClientCredentials).await.expect("a token");
        let lines: Vec<_> = machine.http.sent().into_iter().map(|sent| sent.line).collect();
        assert_eq!(
            lines,
            [
                "POST https://westeurope.login.microsoft.com/t/oauth2/v2.0/token",
                "POST https://login.microsoftonline.com/t/oauth2/v2.0/token",
                "POST https://adfs.stack.test/adfs/oauth2/token",
            ]
        );
    }

    #[tokio::test]
    async fn a_region_that_is_none_stops_apps_before_anything_is_sent() {
        let machine =
            Scripted::new(&[("AZURE_REGIONAL_AUTHORITY_NAME", "West Europe")]).answers([Ok(response(200, TOKEN))]);
        let client = client(&machine, "t", "login.microsoftonline.com", false);
        let request = TokenRequest::new(["https://vault.azure.net/.default"]);
        assert!(client.check_app_only(&request).expect_err("refused").is_invalid_argument());
        redeem(&client, Grant::ClientCredentials).await.expect_err("refused");
        assert!(machine.http.sent().is_empty());
        redeem(&client, Grant::RefreshToken("r")).await.expect("users are not concerned");
    }

    #[tokio::test]
    async fn an_authority_that_nobody_vouches_for_gets_no_secret() {
        let machine = Scripted::new(&[]).answers([Ok(response(400, INVALID)), Ok(response(200, TOKEN))]);
        let error = redeem(&client(&machine, "t", "login.evil.test", false), Grant::ClientCredentials).await;
        assert!(error.expect_err("refused").to_string().contains("is not well-known"));
        let sent = machine.http.sent();
        assert!(sent.len() == 1 && sent[0].line.starts_with("GET https://login.microsoftonline.com/"), "{sent:?}");
        redeem(&client(&machine, "t", "login.stack.test", true), Grant::ClientCredentials).await.expect("trusted");
        assert_eq!(machine.http.sent()[1].line, "POST https://login.stack.test/t/oauth2/v2.0/token");
    }

    #[test]
    fn an_app_signs_in_at_one_tenant() {
        let machine = Scripted::new(&[]);
        for tenant in ["common", "organizations", "Consumers"] {
            let client = client(&machine, tenant, "login.microsoftonline.com", false);
            let request = TokenRequest::new(["https://vault.azure.net/.default"]);
            let error = client.check_app_only(&request).expect_err("refused");
            assert!(error.is_invalid_argument() && error.to_string().contains("at one tenant"), "{error}");
            client.check_tenant(&request).expect("fine for users");
        }
    }
}
