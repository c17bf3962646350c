//! Credentials that give tokens which somebody else got.

use entrada::{
    CommandCredential, CommandCredentialOptions, StaticTokenCredential, StaticTokenCredentialOptions,
    TokenFileCredential,
};
use pyo3::prelude::*;

use super::given::Given;
use super::{Making, made};

pub(super) fn static_token(given: &Given<'_>) -> PyResult<Making> {
    let options = StaticTokenCredentialOptions { expires_on: given.time("expires_on")?, ..Default::default() };
    made(StaticTokenCredential::new(given.needed("token")?.into(), Some(options)))
}

pub(super) fn token_file(given: &Given<'_>) -> PyResult<Making> {
    made(TokenFileCredential::new(given.path("path")?.unwrap_or_default(), None))
}

pub(super) fn command(given: &Given<'_>) -> PyResult<Making> {
    let options = CommandCredentialOptions {
        tenant_id: given.text("tenant_id")?,
        timeout: given.seconds("timeout")?,
        ..Default::default()
    };
    made(CommandCredential::new(given.command()?, Some(options)))
}
