//! An app that asks for itself: the client-credentials grant, whatever the app proves itself with.

use async_trait::async_trait;

use crate::credential::Source;
use crate::deadline::Deadline;
use crate::entra::{self, Client, Grant};
use crate::error::Error;
use crate::scope;
use crate::token::{Fetched, TokenRequest};

/// The source of all credentials of service principals (RFC 6749, section 4.4).
pub(super) struct AppOnly {
    pub(super) client: Client,
}

#[async_trait]
impl Source for AppOnly {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        scope::check_app_only(request)?;
        self.client.check_app_only(request)
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        let deadline = Deadline::after(self.client.platform.clock(), entra::LIMIT);
        let granted = self.client.redeem(request, &Grant::ClientCredentials, deadline).await?;
        Ok(granted.fetched)
    }
}
