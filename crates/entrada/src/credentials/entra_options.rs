//! What all credentials that ask Microsoft Entra have in common.

use std::sync::Arc;

use azure_core::http::ClientOptions;

use crate::cache::Cache;
use crate::platform::Platform;

/// Options that all credentials have which ask Microsoft Entra for tokens.
///
/// Where the environment variable `AZURE_REGIONAL_AUTHORITY_NAME` names a region, apps that ask for themselves are served by
/// the endpoint of that region; with `AutoDiscover` by the one of the region they run in, which `REGION_NAME` or the
/// metadata service of the virtual machine says, and where neither does, by the global endpoint.
///
/// ```
/// use entrada::EntraOptions;
///
/// let options = EntraOptions { authority: Some("login.microsoftonline.us".into()), ..Default::default() };
/// ```
#[derive(Clone, Debug, Default)]
pub struct EntraOptions {
    /// The authority: an https URL or a host name. AD FS has `/adfs` in its path, and `adfs` for a tenant id; a policy of B2C is
    /// part of the path too (`https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_sign_in`). By default the one of `client_options.cloud`, else the one that
    /// `AZURE_AUTHORITY_HOST` names, else `https://login.microsoftonline.com`.
    pub authority: Option<String>,
    /// Trusts the authority without asking the public cloud whether it is one of Microsoft Entra's. Only an authority that
    /// is neither well-known nor AD FS, B2C or an external tenant is asked about, once a process. For clouds without a
    /// connection to the internet.
    pub disable_instance_discovery: bool,
    /// Tenants that requests may name beside the credential's own; `*` for any. With
    /// `AZURE_IDENTITY_DISABLE_MULTITENANTAUTH` set to anything but `0` or `false`, always its own is asked.
    pub additionally_allowed_tenants: Vec<String>,
    /// The HTTP pipeline of a user's own. Its retries then count instead of the credential's. By default requests go
    /// through the client that all credentials share.
    pub client_options: Option<ClientOptions>,
    /// A cache of its own; by default the one of the process.
    pub cache: Option<Arc<Cache>>,
    /// The machine; by default the real one.
    pub platform: Option<Platform>,
}
