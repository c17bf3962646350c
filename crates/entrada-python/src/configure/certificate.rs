//! Apps that sign with a certificate, and keys that are elsewhere.

use std::sync::Arc;

use async_trait::async_trait;
use entrada::{
    ClientCertificateCredential, ClientCertificateCredentialOptions, SignatureAlgorithm, Signer, SignerError,
};
use pyo3::prelude::*;
use zeroize::Zeroizing;

use super::given::Given;
use super::{Making, made, refused};
use crate::callable::{Answer, Argument, Callable, Wanted};

pub(super) fn certificate(given: &Given<'_>) -> PyResult<Making> {
    let (tenant_id, client_id) = (given.needed("tenant_id")?, given.needed("client_id")?);
    let options = Some(ClientCertificateCredentialOptions {
        password: given.password("password")?.map(Into::into),
        send_certificate_chain: given.flag("send_certificate_chain")?.unwrap_or_default(),
        algorithm: algorithm(given)?,
        entra: given.entra()?,
    });
    if let Some(signer) = signer(given)? {
        return made(ClientCertificateCredential::with_signer(&tenant_id, client_id, signer, options));
    }
    match given.path("certificate_path")? {
        Some(path) => made(ClientCertificateCredential::from_path(&tenant_id, client_id, path, options)),
        None => {
            let data = given.bytes("certificate_data")?.unwrap_or_default();
            made(ClientCertificateCredential::new(&tenant_id, client_id, data.as_slice().into(), options))
        }
    }
}

/// What to sign with, where that is said.
pub(super) fn algorithm(given: &Given<'_>) -> PyResult<Option<SignatureAlgorithm>> {
    given.text("algorithm")?.map(|name| name.parse().map_err(|error| refused(&error))).transpose()
}

/// A signer of the user's.
pub(super) fn signer(given: &Given<'_>) -> PyResult<Option<Arc<dyn Signer>>> {
    let inner = given.within("signer")?;
    let Some(algorithm) = algorithm(&inner)? else {
        return Ok(None);
    };
    let certificate = inner.callable("certificate", "signer.certificate", Wanted::ListOfBytes)?;
    let sign = inner.callable("sign", "signer.sign", Wanted::Bytes)?;
    given.also_calls(inner.into_callables());
    let signer = certificate.zip(sign).map(|(certificate, sign)| PythonSigner { algorithm, certificate, sign });
    Ok(signer.map(|signer| Arc::new(signer) as _))
}

struct PythonSigner {
    algorithm: SignatureAlgorithm,
    certificate: Arc<Callable>,
    sign: Arc<Callable>,
}

#[async_trait]
impl Signer for PythonSigner {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    async fn certificate(&self) -> Result<Vec<Vec<u8>>, SignerError> {
        match self.certificate.call(Vec::new()).await? {
            Answer::ListOfBytes(list) => Ok(list),
            _ => Ok(Vec::new()),
        }
    }

    async fn sign(&self, signing_input: &[u8]) -> Result<Vec<u8>, SignerError> {
        match self.sign.call(vec![Argument::Bytes(Zeroizing::new(signing_input.to_vec()))]).await? {
            Answer::Bytes(bytes) => Ok(bytes),
            _ => Ok(Vec::new()),
        }
    }
}
