//! PEM (RFC 7468): text with the key and the certificates, in any order, and whatever stands between them.

use zeroize::Zeroizing;

use super::key::PrivateKey;
use super::pfx;
use super::problem::Problem;
use super::read::Found;

/// What to do about a key in a form that nobody should write any more.
pub(super) const ENCRYPT_ANEW: &str = "encrypt the key anew: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD.pem -out KEY.pem; then put the certificate behind it";

/// Reads text.
pub(super) fn read(text: &[u8], password: Option<&str>) -> Result<Found, Problem> {
    let blocks = pem::parse_many(text).map_err(|error| {
        // Its own words repeat what stands where a label should, which may be the key.
        let why = match error {
            pem::PemError::MismatchedTags(..) => "an END line does not say what its BEGIN line says",
            pem::PemError::InvalidData(_) => "what stands between a BEGIN and an END line is not base64",
            _ => "a BEGIN or an END line is not whole",
        };
        Problem::new(format!("its PEM is damaged: {why}"), "copy it again, whole, with its BEGIN and END lines")
    })?;
    let begun = text.windows(BEGIN.len()).filter(|window| window == &BEGIN).count();
    if begun > blocks.len() {
        let what = format!("its PEM breaks off: {begun} blocks begin, {} end", blocks.len());
        return Err(Problem::new(what, "copy it again, whole, with its BEGIN and END lines"));
    }
    let mut found = Found::default();
    for block in blocks {
        let label = block.tag().to_owned();
        let legacy = block.headers().get("DEK-Info").is_some();
        let content = Zeroizing::new(block.into_contents());
        let key = match label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                found.add_certificate(content.to_vec());
                continue;
            }
            "RSA PRIVATE KEY" | "EC PRIVATE KEY" if legacy => {
                let what = "its key is encrypted in the old way of OpenSSL (DEK-Info), which guards it badly and is not supported";
                return Err(Problem::new(what, ENCRYPT_ANEW));
            }
            "PRIVATE KEY" => PrivateKey::from_pkcs8(&content)?,
            "RSA PRIVATE KEY" => PrivateKey::from_pkcs1(&content)?,
            "EC PRIVATE KEY" => PrivateKey::from_sec1(&content, None)?,
            "ENCRYPTED PRIVATE KEY" => pfx::decrypt_key(&content, password)?,
            "OPENSSH PRIVATE KEY" => {
                let next = "write a copy of it as PEM: cp KEY COPY, then ssh-keygen -p -m PKCS8 -f COPY; and put the certificate behind it";
                return Err(Problem::new("its key is one of OpenSSH", next));
            }
            // Parameters, requests, lists of revoked certificates: nothing an app signs with.
            other => {
                if other.len() < 40 && other.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b' ') {
                    found.others.push(other.to_owned());
                }
                continue;
            }
        };
        found.keys.push(key);
    }
    Ok(found)
}

/// What every block begins with.
pub(super) const BEGIN: &[u8] = b"-----BEGIN ";
