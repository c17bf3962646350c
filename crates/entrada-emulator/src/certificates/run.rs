//! The certificate that is made for a run, and the files it is written to.
//!
//! The key behind it is made once for each process, in the background, because that takes longer than all the rest
//! of a start; the certificate is the run's own.

use super::{AppCertificates, Certificate};
use crate::authority::limit_life;
use p12_keystore::{Certificate as KeyStoreCertificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use pkcs8::pkcs5::pbes2;
use pkcs8::{EncodePrivateKey, LineEnding, PrivateKeyInfoRef};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256};
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

const BITS: usize = 2048;

/// Rounds of PBKDF2: few, because the password is published, and a debug build is slow.
const ROUNDS: u32 = 2_048;

/// The PKCS#8 form of the key; none when it could not be made.
static KEY: OnceLock<Option<Vec<u8>>> = OnceLock::new();

/// The key, made now unless somebody has made it or is about to.
fn key() -> io::Result<&'static [u8]> {
    let made = KEY.get_or_init(|| {
        let private = rsa::PrivateKey::new(&mut getrandom::SysRng, BITS).ok()?;
        Some(private.to_pkcs8_der().ok()?.as_bytes().to_vec())
    });
    made.as_deref().ok_or_else(|| io::Error::other("the key of the run's certificate could not be made"))
}

/// Starts making the key, unless it is made already.
pub(crate) fn prepare_key() -> io::Result<()> {
    if KEY.get().is_some() {
        return Ok(());
    }
    std::thread::Builder::new().name("entrada-app-key".into()).spawn(|| drop(key())).map(drop)
}

/// The files that hold the certificate of a run and its key. They go when the run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The key (PKCS#8) and the certificate, PEM.
    pub pem: PathBuf,
    /// The same, with the key encrypted (PBES2) under [`CERTIFICATE_PASSWORD`](crate::world::CERTIFICATE_PASSWORD).
    pub encrypted_pem: PathBuf,
    /// The same as PKCS#12, under the same password.
    pub pfx: PathBuf,
}

/// The certificate of a run, written when it is first asked for.
pub(crate) struct RunCertificate {
    files: CertificateFiles,
    made: Mutex<bool>,
}

impl RunCertificate {
    /// The certificate of the run with this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        let files = CertificateFiles {
            pem: folder.join("certificate.pem"),
            encrypted_pem: folder.join("certificate-encrypted.pem"),
            pfx: folder.join("certificate.pfx"),
        };
        Self { files, made: Mutex::default() }
    }

    /// Where the files are, or will be.
    pub(crate) fn files(&self) -> &CertificateFiles {
        &self.files
    }

    /// Makes and writes the certificate, unless it is there, and registers it for these apps.
    pub(crate) fn ensure(&self, apps: &AppCertificates, clients: &[&str], password: &str) -> io::Result<()> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if *made {
            return Ok(());
        }
        let key = key()?;
        let der = certificate(key)?;
        self.write(key, &der, password)?;
        let parsed = Arc::new(Certificate::from_der(&der).map_err(io::Error::other)?);
        for client_id in clients {
            apps.add(client_id, parsed.clone());
        }
        *made = true;
        Ok(())
    }

    fn write(&self, key: &[u8], certificate: &[u8], password: &str) -> io::Result<()> {
        let info = PrivateKeyInfoRef::try_from(key).map_err(io::Error::other)?;
        let certificate_pem = pem(certificate);
        let plain = info.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?;
        private_file(&self.files.pem, format!("{}{certificate_pem}", &*plain).as_bytes())?;
        let encrypted = info
            .encrypt_with_params(encryption()?, password)
            .and_then(|document| Ok(document.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)?))
            .map_err(io::Error::other)?;
        private_file(&self.files.encrypted_pem, format!("{}{certificate_pem}", &*encrypted).as_bytes())?;
        private_file(&self.files.pfx, &pfx(key, certificate, password)?)
    }
}

/// A certificate for the key that signed itself, as one does that is made for an app.
fn certificate(key: &[u8]) -> io::Result<Vec<u8>> {
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key), &PKCS_RSA_SHA256)
        .map_err(io::Error::other)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "orders.contoso.example");
    limit_life(&mut params);
    Ok(params.self_signed(&pair).map_err(io::Error::other)?.der().to_vec())
}

fn encryption() -> io::Result<pbes2::Parameters> {
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    getrandom::fill(&mut salt).and_then(|()| getrandom::fill(&mut iv)).map_err(io::Error::other)?;
    pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, iv)
        .map_err(|error| io::Error::other(error.to_string()))
}

fn pfx(key: &[u8], certificate: &[u8], password: &str) -> io::Result<Vec<u8>> {
    let key = PrivateKey::from_der(key).map_err(io::Error::other)?;
    let certificate = KeyStoreCertificate::from_der(certificate).map_err(io::Error::other)?;
    let mut store = KeyStore::new();
    let chain = PrivateKeyChain::new("orders-ci", key, [certificate]);
    store.add_entry("orders-ci", KeyStoreEntry::PrivateKeyChain(chain));
    store.writer(password).encryption_iterations(ROUNDS).mac_iterations(ROUNDS).write().map_err(io::Error::other)
}

/// DER as a PEM block of certificates.
pub(crate) fn pem(certificate: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    let mut block = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        block.push_str(&String::from_utf8_lossy(line));
        block.push('\n');
    }
    block.push_str("-----END CERTIFICATE-----\n");
    block
}

/// Writes a file that only its owner may read.
fn private_file(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.write_all(content)
}
