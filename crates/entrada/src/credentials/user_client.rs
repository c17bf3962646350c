//! The public client that a person signs in to.

use std::time::Duration;

use super::entra_options::EntraOptions;
use crate::entra::{Client, Proof};
use crate::error::Error;
use crate::sign_in::AuthenticationRecord;

/// The Azure CLI's, which `azure-identity` uses where no app is named.
const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
/// The tenants of all work and school accounts.
pub(super) const ORGANIZATIONS: &str = "organizations";

/// What decides which client it is.
pub(super) struct UserClient<'a> {
    pub(super) tenant_id: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) record: &'a Option<AuthenticationRecord>,
}

impl UserClient<'_> {
    /// A client with which nobody but the person proves anything. A record knows where its account signed in, and to what;
    /// of what is said beside it only the tenant counts, and an authority that is spelled out.
    pub(super) fn client(self, options: &EntraOptions) -> Result<Client, Error> {
        let record = self.record.as_ref();
        let tenant_id =
            self.tenant_id.as_deref().or(record.map(AuthenticationRecord::tenant_id)).unwrap_or(ORGANIZATIONS);
        let client_id = record.map(AuthenticationRecord::client_id).or(self.client_id.as_deref()).unwrap_or(AZURE_CLI);
        if let (Some(record), Some(given)) = (record, &self.client_id)
            && !record.client_id().eq_ignore_ascii_case(given)
        {
            return Err(Error::invalid_argument(format!(
                "the authentication record is of client {}, but the client id is {given}",
                record.client_id()
            ))
            .next("leave out the client id, or sign in again with authenticate() for this client"));
        }
        let mut options = options.clone();
        let cloud = options.client_options.as_ref().is_some_and(|options| options.cloud.is_some());
        if let Some(record) = record.filter(|_| options.authority.is_none() && !cloud) {
            options.authority = Some(record.authority().to_owned());
        }
        Client::new(tenant_id, client_id, Proof::None, &options)
    }
}

/// Refuses a time in which nobody can sign in.
pub(super) fn check_timeout(timeout: Option<Duration>) -> Result<(), Error> {
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        return Err(Error::invalid_argument("timeout is zero").next("give the person some minutes"));
    }
    Ok(())
}
