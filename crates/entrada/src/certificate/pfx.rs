//! PKCS#12 (RFC 7292), which files called .pfx and .p12 are.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as Pkcs12Error;
use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Decode, Reader};
use zeroize::Zeroizing;

use super::key::PrivateKey;
use super::problem::Problem;
use super::read::{Found, password_needed, password_wrong};

/// What to do about a file in a form that nobody writes any more, or not yet.
const REWRITE: &str = "write it anew: openssl pkcs12 -legacy -in OLD.pfx -nodes -out ALL.pem, then openssl pkcs12 -export -in ALL.pem -out NEW.pfx; and delete ALL.pem, which holds the key";

const SEQUENCE: u8 = 0x30;
/// An archive, in words.
const FILE: &str = "the file";
/// Windows and .NET encrypt with no password at all in a way that only they and OpenSSL open.
const REWRITE_WITHOUT: &str =
    "if it has none, write it anew with openssl: openssl pkcs12 -legacy -in OLD.pfx -nodes -passin pass: -out NEW.pem";

/// Reads an archive.
pub(super) fn read(der: &[u8], password: Option<&str>) -> Result<Found, Problem> {
    let archive = open(der, password, FILE)?;
    let mut found = Found::default();
    for bag in &archive.keys {
        found.keys.push(PrivateKey::from_pkcs8(bag.key.as_der())?);
    }
    for bag in archive.certs {
        found.add_certificate(bag.cert.as_der().to_vec());
    }
    Ok(found)
}

/// Decrypts PKCS#8 (RFC 5958, section 3). With PBES2 of RFC 8018 and the schemes of PKCS#12 alike: the key is put into an
/// archive of its own, so that one reader opens all.
pub(super) fn decrypt_key(encrypted: &[u8], password: Option<&str>) -> Result<PrivateKey, Problem> {
    const DATA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
    const SHROUDED_KEY: &[u8] = &[0x06, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02];
    const VERSION_3: &[u8] = &[0x02, 1, 3];
    const OCTETS: u8 = 0x04;
    const EXPLICIT_0: u8 = 0xa0;

    if password.is_none_or(str::is_empty) {
        return Err(password_needed("the private key"));
    }
    let content = |inner: &[u8]| element(SEQUENCE, &[DATA, &element(EXPLICIT_0, &[&element(OCTETS, &[inner])])]);
    let bag = element(SEQUENCE, &[SHROUDED_KEY, &element(EXPLICIT_0, &[encrypted])]);
    let safe = content(&element(SEQUENCE, &[&bag]));
    let archive = element(SEQUENCE, &[VERSION_3, &content(&element(SEQUENCE, &[&safe]))]);
    let opened = open(&archive, password, "the private key")?;
    match opened.keys.first() {
        Some(bag) => PrivateKey::from_pkcs8(bag.key.as_der()),
        None => Err(Problem::new("the private key in it is damaged", "copy or export it again")),
    }
}

/// One element of DER.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let digits = length.to_be_bytes();
    let digits = &digits[digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len() - 1)..];
    let mut der = vec![tag];
    if length >= 0x80 {
        // There are at most eight.
        der.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
    }
    der.extend_from_slice(digits);
    parts.iter().for_each(|part| der.extend_from_slice(part));
    der
}

fn open(der: &[u8], password: Option<&str>, what: &str) -> Result<Pkcs12Archive, Problem> {
    let password = Zeroizing::new(password.unwrap_or_default().to_owned());
    let error = match Pkcs12Archive::from_pkcs12(der, &password) {
        Ok(archive) => return Ok(archive),
        Err(error) => error,
    };
    // RFC 7292 can be read to give an empty password two bytes (appendix B.1) or none (B.2). OpenSSL and Java write the
    // one, Windows and Key Vault the other, which the library does not know. A MAC that no password protects proves
    // nothing: without it, what is not encrypted can be read either way.
    if matches!(error, Pkcs12Error::MacError(_))
        && password.is_empty()
        && let Some(archive) = without_mac(der).and_then(|der| Pkcs12Archive::from_pkcs12(&der, "").ok())
    {
        return Ok(archive);
    }
    // A wrong password shows in the MAC, or, where there is none, in what comes out.
    let wrong = || match what {
        _ if !password.is_empty() => password_wrong(what),
        FILE => password_needed(what).or(REWRITE_WITHOUT),
        _ => password_needed(what),
    };
    Err(match error {
        Pkcs12Error::MacError(_) | Pkcs12Error::UnpadError | Pkcs12Error::InvalidPrivateKey => wrong(),
        Pkcs12Error::Pkcs5Error(reason) if reason.ends_with("decryption failed") => wrong(),
        // The file itself is whole; what came out of it is not.
        Pkcs12Error::DerError(_) if !password.is_empty() && AnyRef::from_der(der).is_ok() => wrong(),
        Pkcs12Error::UnsupportedEncryptionScheme
        | Pkcs12Error::UnsupportedMacAlgorithm
        | Pkcs12Error::Pkcs5Error(_) => {
            Problem::new(format!("{what} is encrypted in a way that is not supported ({error})"), rewrite(what))
        }
        Pkcs12Error::InvalidParameters => {
            let problem = format!("{what} is encrypted so that to open it would take too long");
            Problem::new(problem, format!("take fewer than a million iterations; {}", rewrite(what)))
        }
        _ => Problem::new(format!("{what} is damaged, or no PKCS#12 of today ({error})"), rewrite(what)),
    })
}

/// The archive without its MAC.
fn without_mac(der: &[u8]) -> Option<Vec<u8>> {
    let parts = AnyRef::from_der(der).ok()?.sequence(|parts| {
        let (version, content) = (parts.tlv_bytes()?, parts.tlv_bytes()?);
        let _mac = parts.tlv_bytes()?;
        Ok::<_, pkcs8::der::Error>([version, content])
    });
    Some(element(SEQUENCE, &parts.ok()?))
}

fn rewrite(what: &str) -> &'static str {
    if what == FILE { REWRITE } else { super::pem::ENCRYPT_ANEW }
}
