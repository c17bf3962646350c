//! Apps that go on as their users.

use entrada::{OnBehalfOfCredential, OnBehalfOfCredentialOptions};
use pyo3::prelude::*;

use super::assertion::assertion;
use super::certificate::{algorithm, signer};
use super::given::Given;
use super::{Making, made_for_users};

pub(super) fn on_behalf_of(given: &Given<'_>) -> PyResult<Making> {
    let (tenant_id, client_id) = (given.needed("tenant_id")?, given.needed("client_id")?);
    let options = Some(OnBehalfOfCredentialOptions {
        user_assertion: given.text("user_assertion")?.map(Into::into),
        password: given.password("password")?.map(Into::into),
        send_certificate_chain: given.flag("send_certificate_chain")?.unwrap_or_default(),
        algorithm: algorithm(given)?,
        entra: given.entra()?,
    });
    let tenant_id = &*tenant_id;
    if let Some(signer) = signer(given)? {
        return made_for_users(OnBehalfOfCredential::with_signer(tenant_id, client_id, signer, options));
    }
    if let Some(data) = given.bytes("client_certificate")? {
        let data = data.as_slice().into();
        return made_for_users(OnBehalfOfCredential::with_certificate(tenant_id, client_id, data, options));
    }
    if let Some(secret) = given.text("client_secret")? {
        return made_for_users(OnBehalfOfCredential::with_secret(tenant_id, client_id, secret.into(), options));
    }
    made_for_users(OnBehalfOfCredential::with_assertion(tenant_id, client_id, assertion(given)?, options))
}
