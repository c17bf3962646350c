//! Credentials that have a person sign in.

use std::sync::Arc;

use async_trait::async_trait;
use entrada::{
    AuthenticationRecord, Credential, DeviceCodeCredential, Error, InteractiveBrowserCredential, TokenRequest,
    UsernamePasswordCredential,
};

/// A credential that has a person sign in when it is told to.
#[async_trait]
pub(crate) trait Authenticates: Credential {
    /// Has them sign in, whatever there is already; without a request for what the authority's cloud is managed with.
    async fn authenticate(self: Arc<Self>, request: Option<TokenRequest>) -> Result<AuthenticationRecord, Error>;
}

macro_rules! authenticates {
    ($($name:ident),*) => {$(
        #[async_trait]
        impl Authenticates for $name {
            async fn authenticate(
                self: Arc<Self>,
                request: Option<TokenRequest>,
            ) -> Result<AuthenticationRecord, Error> {
                $name::authenticate(&self, request).await
            }
        }
    )*};
}

authenticates!(DeviceCodeCredential, InteractiveBrowserCredential, UsernamePasswordCredential);
