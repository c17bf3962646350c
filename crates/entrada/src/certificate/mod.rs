//! Certificates: how an app proves itself with a key that it never shows.
//!
//! A file is [read](read) into private keys and certificates, whichever format it has; the key finds its certificate, and
//! that its issuers; an [assertion] is signed with it for each exchange with the token endpoint.

mod algorithm;
mod assertion;
mod chain;
mod der;
mod key;
mod pem;
mod pfx;
mod problem;
mod read;
mod signer;
mod watched;

pub use algorithm::SignatureAlgorithm;
pub(crate) use assertion::{AssertionOptions, CertificateAssertion};
#[cfg(any(test, fuzzing))]
pub(crate) use read::ClientCertificate;
pub use signer::{Signer, SignerError};

#[cfg(test)]
mod tests;
