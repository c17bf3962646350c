//! DER: a private key and its certificates, one after the other.

use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use x509_parser::asn1_rs::{Any, FromDer};

use super::key::PrivateKey;
use super::pfx;
use super::problem::Problem;
use super::read::Found;

/// What one value of DER is.
enum Kind {
    Certificate,
    Pkcs8,
    Encrypted,
    Pkcs1,
    Sec1,
}

/// Reads keys and certificates that stand one after the other, in any order; `None` where there is anything else.
pub(super) fn read(content: &[u8], password: Option<&str>) -> Option<Result<Found, Problem>> {
    let values = values(content)?;
    let kinds: Option<Vec<Kind>> = values.iter().map(|value| kind(value)).collect();
    Some(found(values.into_iter().zip(kinds?), password))
}

fn found<'a>(values: impl Iterator<Item = (&'a [u8], Kind)>, password: Option<&str>) -> Result<Found, Problem> {
    let mut found = Found::default();
    for (value, kind) in values {
        let key = match kind {
            Kind::Certificate => {
                found.add_certificate(value.to_vec());
                continue;
            }
            Kind::Pkcs8 => PrivateKey::from_pkcs8(value)?,
            Kind::Encrypted => pfx::decrypt_key(value, password)?,
            Kind::Pkcs1 => PrivateKey::from_pkcs1(value)?,
            Kind::Sec1 => PrivateKey::from_sec1(value, None)?,
        };
        found.keys.push(key);
    }
    Ok(found)
}

/// The values that the content consists of, where it consists of nothing else.
fn values(mut content: &[u8]) -> Option<Vec<&[u8]>> {
    let mut values = Vec::new();
    while !content.is_empty() {
        let (rest, _) = Any::from_der(content).ok()?;
        values.push(&content[..content.len() - rest.len()]);
        content = rest;
    }
    Some(values)
}

fn kind(value: &[u8]) -> Option<Kind> {
    if x509_parser::parse_x509_certificate(value).is_ok() {
        return Some(Kind::Certificate);
    }
    if PrivateKeyInfoRef::try_from(value).is_ok() {
        return Some(Kind::Pkcs8);
    }
    if EncryptedPrivateKeyInfoRef::try_from(value).is_ok() {
        return Some(Kind::Encrypted);
    }
    if sec1::EcPrivateKey::try_from(value).is_ok() {
        return Some(Kind::Sec1);
    }
    PrivateKey::from_pkcs1(value).is_ok().then_some(Kind::Pkcs1)
}
