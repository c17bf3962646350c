//! Certificates and private keys.

use crate::certificate::ClientCertificate;

/// The password of the seeds.
const PASSWORD: &str = "xylophone-7";

/// A file in place of a certificate, with a password and without: PEM, PKCS#12, DER, or none of them.
pub fn certificate(data: &[u8]) {
    for password in [None, Some(PASSWORD)] {
        if let Err(problem) = ClientCertificate::read(data, password) {
            super::check::error(&problem.failure("the certificate"), data, &[PASSWORD]);
        }
    }
}
