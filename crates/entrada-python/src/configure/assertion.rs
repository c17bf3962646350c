//! Where an app's assertions come from.

use std::sync::Arc;

use async_trait::async_trait;
use entrada::{
    AssertionError, AssertionRequest, ClientAssertion, CommandAssertion, CommandAssertionOptions, EnvironmentAssertion,
    FileAssertion, ManagedIdentityAssertion, ManagedIdentityAssertionOptions, ManagedIdentityCredentialOptions,
    UrlAssertion, UrlAssertionOptions,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use zeroize::Zeroizing;

use super::given::Given;
use super::refused;
use crate::callable::{Callable, Wanted};

/// The source that the option `assertion` names.
pub(super) fn assertion(given: &Given<'_>) -> PyResult<Source> {
    let kind = given.needed("assertion")?;
    let inner = given.within("assertion_options")?;
    let source: Arc<dyn ClientAssertion> = match &*kind {
        "command" => {
            let options = CommandAssertionOptions {
                json_pointer: inner.text("json_pointer")?,
                timeout: inner.seconds("timeout")?,
            };
            Arc::new(CommandAssertion::new(inner.command()?, Some(options)).map_err(|error| refused(&error))?)
        }
        "environment" => Arc::new(EnvironmentAssertion::new(inner.needed("name")?)),
        "file" => Arc::new(FileAssertion::new(inner.path("path")?.unwrap_or_default())),
        "managed identity" => {
            let managed_identity =
                ManagedIdentityCredentialOptions { user_assigned_id: inner.user_assigned_id()?, ..Default::default() };
            let options = ManagedIdentityAssertionOptions { audience: inner.text("audience")?, managed_identity };
            Arc::new(ManagedIdentityAssertion::with_options(options).map_err(|error| refused(&error))?)
        }
        "URL" => {
            let options = UrlAssertionOptions {
                headers: inner.pairs("headers")?.into_iter().map(|(name, value)| (name, value.into())).collect(),
                json_pointer: inner.text("json_pointer")?,
                ..Default::default()
            };
            Arc::new(UrlAssertion::new(&inner.needed("url")?, Some(options)).map_err(|error| refused(&error))?)
        }
        _ => function(&inner)?,
    };
    given.also_calls(inner.into_callables());
    Ok(Source(source))
}

fn function(inner: &Given<'_>) -> PyResult<Arc<dyn ClientAssertion>> {
    for name in ["func", "client_assertion_func"] {
        if let Some(callable) = inner.callable(name, name, Wanted::Text)? {
            return Ok(Arc::new(Function(callable)));
        }
    }
    Err(PyValueError::new_err("there is nothing to get assertions from"))
}

/// Any of the sources.
pub(super) struct Source(Arc<dyn ClientAssertion>);

#[async_trait]
impl ClientAssertion for Source {
    async fn secret(&self, request: &AssertionRequest<'_>) -> Result<Zeroizing<String>, AssertionError> {
        self.0.secret(request).await
    }

    fn identity(&self) -> Option<String> {
        self.0.identity()
    }
}

/// A function of the user's.
struct Function(Arc<Callable>);

#[async_trait]
impl ClientAssertion for Function {
    async fn secret(&self, _request: &AssertionRequest<'_>) -> Result<Zeroizing<String>, AssertionError> {
        Ok(self.0.call(Vec::new()).await?.into_text())
    }
}
