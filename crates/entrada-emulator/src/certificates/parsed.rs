//! What there is to know of a certificate: its key, its thumbprints, its names and how long it is good.

use crate::clock;
use crate::jwt::PublicKey;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use sha2::{Digest, Sha256};
use x509_parser::oid_registry::OID_EC_P256;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey as Parsed;

/// An X.509 certificate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) key: PublicKey,
    /// Thumbprint by SHA-1, which the header parameter `x5t` holds (RFC 7515, section 4.1.7).
    pub(crate) sha1: Vec<u8>,
    /// Thumbprint by SHA-256, which `x5t#S256` holds.
    pub(crate) sha256: Vec<u8>,
    /// Common name and DNS names, which trust in subject names goes by.
    pub(crate) names: Vec<String>,
    /// Seconds since 1970, UTC.
    pub(crate) not_before: i64,
    /// Seconds since 1970, UTC.
    pub(crate) not_after: i64,
}

impl Certificate {
    /// Reads a certificate with an RSA key, or one on the curve P-256.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, String> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| "it is not an X.509 certificate".to_owned())?;
        if !rest.is_empty() {
            return Err("there is something behind the certificate".into());
        }
        let info = parsed.public_key();
        let curve = info.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        let key = match info.parsed() {
            Ok(Parsed::RSA(key)) => PublicKey::rsa(key.modulus, key.exponent),
            Ok(Parsed::EC(point)) if curve.is_some_and(|curve| curve == OID_EC_P256) => {
                PublicKey::P256(point.data().to_vec())
            }
            _ => return Err("its key is neither RSA nor on the curve P-256".into()),
        };
        let validity = parsed.validity();
        Ok(Self {
            key,
            sha1: digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref().to_vec(),
            sha256: Sha256::digest(der).to_vec(),
            names: names(&parsed),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
            der: der.to_vec(),
        })
    }

    /// Whether it is good now.
    pub(crate) fn is_current(&self) -> bool {
        (self.not_before..=self.not_after).contains(&clock::now())
    }

    /// The SHA-1 thumbprint as Entra's messages have it.
    pub(crate) fn thumbprint(&self) -> String {
        hex(&self.sha1)
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let dns = alternative.iter().flat_map(|extension| &extension.value.general_names).filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(*name),
        _ => None,
    });
    common.chain(dns).map(str::to_owned).collect()
}

/// Bytes as upper-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
