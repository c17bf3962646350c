//! A certificate and those that vouch for it.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;

use super::key::{PrivateKey, PublicKey};
use super::problem::Problem;
use crate::token_answer::{excerpt, rfc3339};

/// A certificate, and what is known of it.
pub(crate) struct Chain {
    /// As DER, the leaf first, each of the others having issued the one before it.
    certificates: Vec<Vec<u8>>,
    key: PublicKey,
    subject: String,
    /// The first and the last second it is good for, since 1970.
    not_before: i64,
    not_after: i64,
}

impl Chain {
    /// The certificate of a private key among `certificates`, and those that vouch for it.
    pub(super) fn of_key(certificates: &[Vec<u8>], key: &PrivateKey) -> Result<Self, Problem> {
        let parsed = parsed(certificates)?;
        // A renewed certificate may stand beside the old one of the same key.
        let leaf = (0..parsed.len())
            .filter(|index| PublicKey::of(parsed[*index].public_key()).is_ok_and(|public| key.belongs_to(&public)))
            .max_by_key(|index| parsed[*index].validity().not_after.timestamp());
        if let Some(leaf) = leaf {
            return Self::new(certificates, &parsed, leaf);
        }
        let whose = match parsed.as_slice() {
            [only] => {
                // If the key is of a kind that nothing can be done with, that is the thing to say.
                PublicKey::of(only.public_key())?;
                format!("the private key does not belong to the certificate \"{}\"", subject(only))
            }
            several => format!("the private key belongs to none of the {} certificates", several.len()),
        };
        let next = "take the key that the certificate was requested with: `openssl x509 -in CERTIFICATE -noout -pubkey` and `openssl pkey -in KEY -pubout` print the same for the two";
        Err(Problem::new(whose, next))
    }

    /// The chain of a certificate whose key is elsewhere: the first.
    pub(super) fn of_first(certificates: &[Vec<u8>]) -> Result<Self, Problem> {
        let parsed = parsed(certificates)?;
        if parsed.is_empty() {
            return Err(Problem::new(
                "there is none",
                "return the certificate as DER, and after it those that vouch for it",
            ));
        }
        Self::new(certificates, &parsed, 0)
    }

    fn new(certificates: &[Vec<u8>], parsed: &[X509Certificate<'_>], leaf: usize) -> Result<Self, Problem> {
        let certificate = &parsed[leaf];
        Ok(Self {
            certificates: in_order(parsed, leaf).into_iter().map(|index| certificates[index].clone()).collect(),
            key: PublicKey::of(certificate.public_key())?,
            subject: subject(certificate),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
        })
    }

    pub(super) fn key(&self) -> &PublicKey {
        &self.key
    }

    /// As DER, the leaf first.
    pub(super) fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    pub(super) fn sha1(&self) -> Vec<u8> {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.certificates[0]).as_ref().to_vec()
    }

    pub(super) fn sha256(&self) -> Vec<u8> {
        digest(&SHA256, &self.certificates[0]).as_ref().to_vec()
    }

    /// Refuses a certificate that is not good at this time, in seconds since 1970.
    pub(super) fn check_dates(&self, now: i64) -> Result<(), Problem> {
        let what = if now < self.not_before {
            format!("it is not valid before {}", rfc3339(self.not_before))
        } else if now > self.not_after {
            format!("it has expired on {}", rfc3339(self.not_after))
        } else {
            return Ok(());
        };
        let thumbprint: String = self.sha1().iter().map(|byte| format!("{byte:02X}")).collect();
        Err(Problem::new(
            format!(
                "{what} (valid from {} to {}, thumbprint {thumbprint}, subject \"{}\"; this machine's clock says {})",
                rfc3339(self.not_before),
                rfc3339(self.not_after),
                self.subject,
                rfc3339(now)
            ),
            "renew the certificate, add the new one to the app registration, and put it in the place of this one; or set this machine's clock",
        ))
    }
}

fn parsed(certificates: &[Vec<u8>]) -> Result<Vec<X509Certificate<'_>>, Problem> {
    certificates
        .iter()
        .enumerate()
        .map(|(index, der)| match x509_parser::parse_x509_certificate(der) {
            Ok(([], certificate)) => Ok(certificate),
            _ => Err(Problem::new(
                format!("certificate {} of {} is damaged", index + 1, certificates.len()),
                "look at it with: openssl x509 -in FILE -noout -text; and copy or export it again",
            )),
        })
        .collect()
}

fn subject(certificate: &X509Certificate<'_>) -> String {
    excerpt(&certificate.subject().to_string())
}

/// From the leaf up to the last issuer that is there. RFC 7515, section 4.1.6, wants each certificate to have issued the
/// one before it, so what has to do with neither is left out.
fn in_order(certificates: &[X509Certificate<'_>], leaf: usize) -> Vec<usize> {
    let mut order = vec![leaf];
    let mut last = leaf;
    while let Some(issuer) = (0..certificates.len())
        .find(|index| !order.contains(index) && may_have_issued(&certificates[*index], &certificates[last]))
    {
        order.push(issuer);
        last = issuer;
    }
    order
}

/// Whether one certificate names the other as its issuer: by name and, as a renewed authority keeps its name, by the id
/// of its key where both say it.
fn may_have_issued(issuer: &X509Certificate<'_>, certificate: &X509Certificate<'_>) -> bool {
    if issuer.subject().as_raw() != certificate.issuer().as_raw() {
        return false;
    }
    let of_issuer = issuer.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    });
    let wanted = certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    });
    of_issuer.is_none() || wanted.is_none() || of_issuer == wanted
}
