//! Kubernetes vouches for an app: what the managed-identity host of that name and `WorkloadIdentityCredential` have in
//! common.
//!
//! <https://azure.github.io/azure-workload-identity/docs/>

use std::path::PathBuf;
use std::sync::Arc;

use super::client_assertion::Presented;
use super::file::FileAssertion;
use crate::credentials::EntraOptions;
use crate::entra::{Client, Proof, TokenProxy};
use crate::error::Error;

/// The variable that names the file.
pub(crate) const FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// What makes a program the client: the token of its service account, and where it is shown.
#[derive(Clone)]
pub(crate) struct Workload {
    /// The file of the token: the kubelet replaces it long before it expires.
    pub(crate) file: PathBuf,
    /// Who names the file.
    pub(crate) named: &'static str,
    /// The proxy of an identity binding.
    pub(crate) proxy: Option<Arc<TokenProxy>>,
}

impl Workload {
    /// The client that the service account is trusted as. An assertion that Entra calls out of date is read once more:
    /// the kubelet may be about to replace the file, and a new trust takes a while to be known everywhere.
    pub(crate) fn client(&self, tenant_id: &str, client_id: &str, options: &EntraOptions) -> Result<Client, Error> {
        let assertion = FileAssertion::of_service_account(self.file.clone(), self.named);
        let proof = Proof::Assertion(Arc::new(Presented(Arc::new(assertion))));
        Ok(Client::new(tenant_id, client_id, proof, options)?.behind(self.proxy.clone()))
    }

    /// What else decides whose tokens these are.
    pub(crate) fn parts(&self) -> [Option<&str>; 2] {
        [self.file.to_str(), self.proxy.as_ref().map(|proxy| proxy.url().as_str())]
    }
}
