//! What a user passes as a certificate, in whichever format.

use std::fmt;

use super::chain::Chain;
use super::key::{PrivateKey, SigningKey};
use super::problem::Problem;
use super::{SignatureAlgorithm, der, pem, pfx};

/// No file with a key and its certificates is larger, in bytes.
pub(crate) const LARGEST: usize = 256 << 10;
const EXPECTED: &str =
    "use PEM text with the private key and its certificate, a PKCS#12 file (.pfx, .p12), or the two in DER";

/// A certificate with its private key.
pub(crate) struct ClientCertificate {
    chain: Chain,
    key: SigningKey,
}

impl ClientCertificate {
    /// Reads PEM, PKCS#12 or DER. A password that nothing is encrypted with does no harm.
    pub(crate) fn read(content: &[u8], password: Option<&str>) -> Result<Self, Problem> {
        if content.len() > LARGEST {
            return Err(Problem::new(format!("it is larger than {LARGEST} bytes"), EXPECTED));
        }
        let found =
            if contains(content, pem::BEGIN) { pem::read(content, password)? } else { not_text(content, password)? };
        found.certificate()
    }

    pub(crate) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Signs with an algorithm that fits the key.
    pub(super) fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, Problem> {
        self.key.sign(algorithm, message)
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    certificates: Vec<Vec<u8>>,
    pub(super) keys: Vec<PrivateKey>,
    /// What else, by the names of PEM.
    pub(super) others: Vec<String>,
}

impl Found {
    /// Archives and bundles often hold the same one twice.
    pub(super) fn add_certificate(&mut self, der: Vec<u8>) {
        if !self.certificates.contains(&der) {
            self.certificates.push(der);
        }
    }

    fn certificate(mut self) -> Result<ClientCertificate, Problem> {
        let others = match self.others.as_slice() {
            [] => String::new(),
            others => format!(", beside {}", others.join(", ")),
        };
        let certificates = self.certificates.len();
        let key = match (self.keys.len(), certificates) {
            (0, 0) => {
                return Err(Problem::new(
                    format!("neither a private key nor a certificate is in it{others}"),
                    EXPECTED,
                ));
            }
            (0, _) => {
                let plural = if certificates == 1 { "" } else { "s" };
                return Err(Problem::new(
                    format!("it holds {certificates} certificate{plural}, but no private key{others}"),
                    "put the private key into the same file, both in PEM or both in DER: cat KEY CERTIFICATE > BOTH",
                ));
            }
            (_, 0) => {
                return Err(Problem::new(
                    format!("it holds a private key, but no certificate{others}"),
                    "put the certificate into the same file, both in PEM or both in DER: cat KEY CERTIFICATE > BOTH",
                ));
            }
            (1, _) => self.keys.swap_remove(0),
            (several, _) => {
                return Err(Problem::new(
                    format!("it holds {several} private keys, and nothing says which one to sign with"),
                    "put one key and its certificates into a file of their own",
                ));
            }
        };
        let chain = Chain::of_key(&self.certificates, &key)?;
        let key = key.with(chain.key()).ok_or_else(|| Problem::new("the private key does not fit", EXPECTED))?;
        Ok(ClientCertificate { chain, key })
    }
}

pub(super) fn password_needed(what: &str) -> Problem {
    Problem::new(format!("{what} is encrypted, and no password was given"), "pass the password")
}

pub(super) fn password_wrong(what: &str) -> Problem {
    Problem::new(
        format!("the password of {what} is wrong, or it is damaged"),
        "pass the right password; from a file or variable, without the line end",
    )
}

fn contains(content: &[u8], sought: &[u8]) -> bool {
    content.windows(sought.len()).any(|window| window == sought)
}

/// PKCS#12, or something that is no text and does not do.
fn not_text(content: &[u8], password: Option<&str>) -> Result<Found, Problem> {
    let what = match content {
        [] => "it is empty",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            let next = "write it in UTF-8; in PowerShell, with -Encoding ascii";
            return Err(Problem::new("it is text in UTF-16", next));
        }
        [0x30, 0x80, ..] => {
            let next = "write it anew: openssl pkcs12 -in OLD.pfx -nodes -out ALL.pem, then openssl pkcs12 -export -in ALL.pem -out NEW.pfx; and delete ALL.pem, which holds the key";
            return Err(Problem::new("it is in BER of indefinite length, which is not supported", next));
        }
        [0x30, ..] => return sequence(content, password),
        _ if is_base64(content) => {
            let next =
                "decode it first: base64 -d; what Key Vault gives as the value of a certificate's secret is such text";
            return Err(Problem::new("it is base64 without BEGIN and END lines", next));
        }
        _ => "it is neither PEM nor PKCS#12",
    };
    Err(Problem::new(what, EXPECTED))
}

/// Keys and certificates, or PKCS#12: all begin as a sequence of DER.
fn sequence(content: &[u8], password: Option<&str>) -> Result<Found, Problem> {
    if let Some(found) = der::read(content, password) {
        return found;
    }
    // signedData, as certificates are handed on in without their keys.
    const PKCS7: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    if contains(&content[..content.len().min(PKCS7.len() + 8)], PKCS7) {
        return Err(Problem::new(
            "it is a bundle of certificates (PKCS#7, .p7b), which holds no private key",
            "make a file of both: openssl pkcs7 -inform der -print_certs -in BUNDLE -out CERTIFICATES.pem, then cat KEY.pem CERTIFICATES.pem > BOTH.pem",
        ));
    }
    pfx::read(content, password)
}

/// Whether it is base64 of something in DER, whose first two bytes are nearly always these.
fn is_base64(content: &[u8]) -> bool {
    content.trim_ascii().starts_with(b"MI")
        && content.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_\t\r\n".contains(byte))
}
