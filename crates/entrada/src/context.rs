//! What a caller of an official service client can say about the token: values for `azure_core`'s
//! [`Context`](azure_core::http::Context).
//!
//! `azure_core`'s way to ask for a token names scopes and nothing else. But a service client hands the context of a call on to
//! the credential, and this crate's credentials look for these types in it:
//!
//! ```no_run
//! use azure_core::credentials::{TokenCredential, TokenRequestOptions};
//! use azure_core::http::{ClientMethodOptions, Context};
//! use entrada::context::TenantId;
//! use entrada::{EntraOptions, ClientSecretCredential, ClientSecretCredentialOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let credential = ClientSecretCredential::new(
//!     "contoso.onmicrosoft.com",
//!     "11111111-1111-4111-8111-111111111111".into(),
//!     std::env::var("CLIENT_SECRET")?.into(),
//!     Some(ClientSecretCredentialOptions {
//!         entra: EntraOptions { additionally_allowed_tenants: vec!["fabrikam.com".into()], ..Default::default() },
//!     }),
//! )?;
//! let context = Context::new().with_value(TenantId("fabrikam.com".into()));
//! let options = TokenRequestOptions { method_options: ClientMethodOptions { context } };
//! let token = credential.get_token(&["https://storage.azure.com/.default"], Some(options)).await?;
//! # let _ = token;
//! # Ok(()) }
//! ```
//!
//! A service client keeps one token for all its requests, until it is refused or about to expire. So a value that differs from
//! request to request ([`TenantId`], [`UserAssertion`]) needs a client for each; with [`get_token`] itself it does not.
//!
//! To let a service client answer the challenges of a resource by itself there is
//! [`ChallengePolicy`](crate::ChallengePolicy).
//!
//! [`get_token`]: azure_core::credentials::TokenCredential::get_token

use std::fmt;

use azure_core::credentials::TokenRequestOptions;
use zeroize::Zeroizing;

use crate::challenge::Call;
use crate::token::TokenRequest;

/// The tenant to ask in place of the credential's own; honoured where the credential allows it. As
/// [`TokenRequest::tenant_id`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantId(pub String);

/// The claims that a resource demanded, as JSON (not in base64). The request goes past the cache. As
/// [`TokenRequest::claims`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims(pub String);

/// Whether the caller can handle the challenges of continuous access evaluation, and so may have a token that lives longer
/// but can be revoked. As [`TokenRequest::enable_cae`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnableCae(pub bool);

/// The access token of the user on whose behalf a token is asked for. Credentials that cannot ask on behalf of a user refuse
/// the request: their own token would be somebody else's.
///
/// Wiped from memory when dropped, and never in `Debug`. A service client keeps one token for all its requests: never use one
/// client for several users.
#[derive(Clone)]
pub struct UserAssertion(Zeroizing<String>);

impl UserAssertion {
    /// Takes the token as it came after `Bearer ` in the user's request.
    pub fn new(token: impl Into<String>) -> Self {
        Self(Zeroizing::new(token.into()))
    }

    /// The token itself.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UserAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserAssertion")
    }
}

/// What the context of a call says about the token.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) tenant_id: Option<String>,
    pub(crate) claims: Option<String>,
    pub(crate) enable_cae: bool,
    pub(crate) user_assertion: Option<UserAssertion>,
}

impl Wishes {
    /// Reads a context. In a box, so that the many calls without one carry nothing about.
    pub(crate) fn read(options: Option<&TokenRequestOptions<'_>>) -> Option<Box<Self>> {
        let context = options.map(|options| &options.method_options.context).filter(|context| !context.is_empty())?;
        let mut wishes = Self {
            tenant_id: context.value().map(|TenantId(tenant_id)| tenant_id.clone()),
            claims: context.value().map(|Claims(claims)| claims.clone()),
            enable_cae: context.value().is_some_and(|EnableCae(enable)| *enable),
            user_assertion: context.value().cloned(),
        };
        // What the resource says counts more than what the caller expected of it.
        if let Some(call) = context.value::<Call>() {
            call.tell(&mut wishes);
        }
        Some(Box::new(wishes))
    }

    /// Whether any token of the right scopes and tenant will do.
    pub(crate) fn may_be_cached(&self) -> bool {
        self.claims.is_none() && self.user_assertion.is_none()
    }

    /// The request for a token.
    pub(crate) fn request(self, scopes: &[&str]) -> TokenRequest {
        let mut request = TokenRequest::new(scopes.iter().copied());
        request.tenant_id = self.tenant_id;
        request.claims = self.claims;
        request.enable_cae = self.enable_cae;
        request
    }
}

#[cfg(test)]
mod tests {
    use azure_core::http::{ClientMethodOptions, Context};

    use super::*;

    fn read(context: Context<'_>) -> Option<Box<Wishes>> {
        Wishes::read(Some(&TokenRequestOptions { method_options: ClientMethodOptions { context } }))
    }

    #[test]
    fn what_is_in_the_context_is_in_the_request() {
        let context = Context::new()
            .with_value(TenantId("t-2".into()))
            .with_value(Claims(r#"{"access_token":{}}"#.into()))
            .with_value(EnableCae(true))
            .with_value("something else");
        let wishes = read(context).expect("wishes");
        assert!(!wishes.may_be_cached());
        let request = wishes.request(&["s"]);
        assert_eq!(request.scopes, ["s"]);
        assert_eq!(request.tenant_id.as_deref(), Some("t-2"));
        assert_eq!(request.claims.as_deref(), Some(r#"{"access_token":{}}"#));
        assert!(request.enable_cae);
    }

    #[test]
    fn nothing_is_asked_for_that_is_not_there() {
        assert!(Wishes::read(None).is_none() && read(Context::new()).is_none());
        let wishes = read(Context::new().with_value(7u8)).expect("none of ours");
        assert!(wishes.may_be_cached());
        assert_eq!(wishes.request(&["s"]), TokenRequest::new(["s"]));
    }

    #[test]
    fn a_users_token_is_not_shown() {
        assert!(!format!("{:?}", UserAssertion::new("eyJ.secret")).contains("secret"));
    }
}
