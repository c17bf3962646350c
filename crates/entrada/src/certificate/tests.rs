//! Certificates over time, signers, and bytes that are no certificate. Files of every kind are read in
//! `tests/certificates.rs`, which openssl and keytool make.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use azure_core::credentials::{Secret, SecretBytes};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use time::{Duration, OffsetDateTime};

use super::read::ClientCertificate;
use super::*;
use crate::cache::Cache;
use crate::credential::Credential;
use crate::credentials::{ClientCertificateCredential, ClientCertificateCredentialOptions, EntraOptions};
use crate::error::{Error, Outcome};
use crate::fuzzing;
use crate::platform::scripted::{Scripted, response};
use crate::token::TokenRequest;

/// What the scripted clock says at first.
const NOW: i64 = 1_800_000_000;
const PATH: &str = "/run/app.pem";

struct Made {
    pem: String,
    der: Vec<u8>,
}

/// A certificate that is good from and until so many days from now.
fn made(name: &str, from: i64, until: i64) -> Made {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let now = OffsetDateTime::from_unix_timestamp(NOW).expect("a date");
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.not_before = now + Duration::days(from);
    parameters.not_after = now + Duration::days(until);
    let certificate = parameters.self_signed(&key).expect("a certificate");
    Made { pem: format!("{}{}", key.serialize_pem(), certificate.pem()), der: certificate.der().to_vec() }
}

fn machine() -> Scripted {
    let token = || Ok(response(200, r#"{"access_token":"t","expires_in":3600}"#));
    Scripted::new(&[]).answers((0..8).map(|_| token()))
}

fn options(machine: &Scripted) -> Option<ClientCertificateCredentialOptions> {
    let entra = EntraOptions {
        platform: Some(machine.platform.clone()),
        cache: Some(Cache::new(Default::default())),
        ..Default::default()
    };
    Some(ClientCertificateCredentialOptions { entra, ..Default::default() })
}

/// Asks for a token of a tenant's own, so that none is cached, and returns the thumbprint in the assertion.
async fn sign_in(machine: &Scripted, credential: &Arc<ClientCertificateCredential>) -> Result<String, Error> {
    let number = machine.http.sent().len();
    credential.token(&TokenRequest::new([format!("https://{number}.example/.default")])).await?;
    let form = machine.http.sent().last().expect("sent").body.clone();
    let form: std::collections::HashMap<_, _> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let header = form["client_assertion"].split('.').next().expect("a header").to_owned();
    let header: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).expect("base64")).expect("JSON");
    Ok(header["x5t#S256"].as_str().expect("a thumbprint").to_owned())
}

fn thumbprint(made: &Made) -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, &made.der))
}

fn of_file(machine: &Scripted) -> Arc<ClientCertificateCredential> {
    ClientCertificateCredential::from_path("t", "c".into(), PATH, options(machine)).expect("valid")
}

fn days(machine: &Scripted, days: u64) {
    machine.clock.advance(std::time::Duration::from_secs(days * 86400));
}

#[tokio::test]
async fn a_renewed_certificate_counts_from_the_day_it_is_valid() {
    let machine = machine();
    let (old, new) = (made("old", -10, 10), made("the new one", 5, 100));
    machine.files.put(PATH, &old.pem);
    let credential = of_file(&machine);
    machine.files.put(PATH, &new.pem);
    assert_eq!(sign_in(&machine, &credential).await.expect("a token"), thumbprint(&old));
    days(&machine, 6);
    assert_eq!(sign_in(&machine, &credential).await.expect("a token"), thumbprint(&new));
}

#[tokio::test]
async fn when_the_old_one_has_expired_both_reasons_are_told() {
    let machine = machine();
    machine.files.put(PATH, made("old", -10, 10).pem);
    let credential = of_file(&machine);
    sign_in(&machine, &credential).await.expect("a token");
    machine.files.put(PATH, "half a certificate");
    sign_in(&machine, &credential).await.expect("the old one is good still");
    days(&machine, 11);
    let error = sign_in(&machine, &credential).await.expect_err("expired");
    let text = error.to_string();
    assert!(
        text.contains(
            "the certificate /run/app.pem cannot be used: the one that was in use: it has expired on 2027-01-25"
        ),
        "{text}"
    );
    assert!(text.contains("what has taken its place: it is neither PEM nor PKCS#12"), "{text}");
    assert_eq!(machine.http.sent().len(), 2);
}

#[tokio::test]
async fn credentials_of_the_same_certificate_share_tokens_and_of_others_do_not() {
    let machine = machine();
    let (one, two) = (made("one", -1, 1), made("two", -1, 1));
    machine.files.put(PATH, &one.pem);
    let shared = options(&machine);
    let new = |pem: &str| {
        ClientCertificateCredential::new("t", "c".into(), SecretBytes::new(pem), shared.clone()).expect("valid")
    };
    let from_path = |password: Option<&str>| {
        let password = password.map(|password| Secret::new(password.to_owned()));
        let options = shared.clone().map(|options| ClientCertificateCredentialOptions { password, ..options });
        ClientCertificateCredential::from_path("t", "c".into(), PATH, options).expect("valid")
    };
    let signer: Arc<dyn Signer> = Arc::new(Vault::of(&one));
    let with_signer = || {
        ClientCertificateCredential::with_signer("t", "c".into(), Arc::clone(&signer), shared.clone()).expect("valid")
    };
    for (credential, requests) in [
        (new(&one.pem), 1),
        (new(&one.pem), 1),
        (new(&two.pem), 2),
        (from_path(None), 3),
        (from_path(None), 3),
        (from_path(Some("p")), 4),
        (with_signer(), 5),
        (with_signer(), 6),
    ] {
        credential.token(&TokenRequest::new(["https://vault.azure.net/.default"])).await.expect("a token");
        assert_eq!(machine.http.sent().len(), requests);
    }
}

/// A key that is elsewhere, and what goes wrong there.
struct Vault {
    algorithm: SignatureAlgorithm,
    certificates: Vec<Vec<u8>>,
    key: ClientCertificate,
    fault: Mutex<Fault>,
}

#[derive(Clone, Copy)]
enum Fault {
    None,
    NoCertificate,
    Refuses,
    Hangs,
    Der,
}

impl Vault {
    fn of(made: &Made) -> Self {
        Self {
            algorithm: SignatureAlgorithm::Es256,
            certificates: vec![made.der.clone()],
            key: ClientCertificate::read(made.pem.as_bytes(), None).expect("valid"),
            fault: Mutex::new(Fault::None),
        }
    }

    fn with(self, fault: Fault) -> Self {
        *self.fault.lock().expect("no panic") = fault;
        self
    }
}

#[async_trait]
impl Signer for Vault {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    async fn certificate(&self) -> Result<Vec<Vec<u8>>, SignerError> {
        match *self.fault.lock().expect("no panic") {
            Fault::NoCertificate => Ok(Vec::new()),
            _ => Ok(self.certificates.clone()),
        }
    }

    async fn sign(&self, signing_input: &[u8]) -> Result<Vec<u8>, SignerError> {
        let fault = *self.fault.lock().expect("no panic");
        match fault {
            Fault::Refuses => return Err("the vault says 403".into()),
            Fault::Hangs => std::future::pending().await,
            Fault::Der => return Ok(vec![0x30; 70]),
            Fault::None | Fault::NoCertificate => {}
        }
        Ok(self.key.sign(SignatureAlgorithm::Es256, signing_input).expect("signed"))
    }
}

async fn signed_by(vault: Vault) -> Result<String, Error> {
    let machine = machine();
    let credential =
        ClientCertificateCredential::with_signer("t", "c".into(), Arc::new(vault), options(&machine)).expect("valid");
    let outcome = sign_in(&machine, &credential).await;
    assert_eq!(machine.http.sent().len(), usize::from(outcome.is_ok()));
    outcome
}

#[tokio::test]
async fn a_signer_signs_for_its_certificate() {
    let made = made("vault", -1, 1);
    assert_eq!(signed_by(Vault::of(&made)).await.expect("a token"), thumbprint(&made));
}

#[tokio::test]
async fn what_a_signer_gets_wrong_is_told_before_anything_is_sent() {
    let [one, two, old] = [made("one", -1, 1), made("two", -1, 1), made("old", -9, -1)];
    let another_key = Vault { certificates: vec![two.der.clone()], ..Vault::of(&one) };
    let no_certificate = Vault { certificates: vec![b"?".to_vec()], ..Vault::of(&one) };
    let wrong_kind = Vault { algorithm: SignatureAlgorithm::Ps256, ..Vault::of(&one) };
    for (vault, words, next) in [
        (
            Vault::of(&one).with(Fault::NoCertificate),
            "the signer's certificate cannot be used: there is none",
            "as DER",
        ),
        (no_certificate, "certificate 1 of 1 is damaged", "copy or export"),
        (Vault::of(&old), "it has expired on 2027-01-14", "renew the certificate"),
        (wrong_kind, "PS256 was asked for, and it has an EC key", "ask for ES256"),
        (Vault::of(&one).with(Fault::Refuses), "the signer could not sign: the vault says 403", "can be reached"),
        (Vault::of(&one).with(Fault::Hangs), "the signer did not sign within 60 s", "can be reached"),
        (Vault::of(&one).with(Fault::Der), "its signature of 70 bytes is no ES256 of the certificate's key", "not DER"),
        (another_key, "its signature of 64 bytes is no ES256", "with the key of the certificate"),
    ] {
        let error = signed_by(vault).await.expect_err(words);
        assert_eq!(error.outcome(), Outcome::Failed);
        let text = error.to_string();
        assert!(text.starts_with("ClientCertificateCredential: ") && text.contains(words), "{text}");
        assert!(error.remedy().is_some_and(|remedy| remedy.contains(next)), "{text}");
    }
}

#[tokio::test]
async fn a_signers_own_error_is_kept() {
    let error = signed_by(Vault::of(&made("vault", -1, 1)).with(Fault::Refuses)).await.expect_err("refused");
    let source = std::error::Error::source(&error).expect("the signer's");
    assert_eq!(source.to_string(), "the vault says 403");
}

#[test]
fn names_of_algorithms_are_those_of_jwts() {
    for algorithm in
        [SignatureAlgorithm::Ps256, SignatureAlgorithm::Rs256, SignatureAlgorithm::Es256, SignatureAlgorithm::Es384]
    {
        assert_eq!(algorithm.as_str().to_lowercase().parse::<SignatureAlgorithm>().expect("known"), algorithm);
    }
    let error = "none".parse::<SignatureAlgorithm>().expect_err("no algorithm");
    assert!(error.is_invalid_argument() && error.to_string().contains("use PS256"), "{error}");
}

/// Something that is nearly a certificate: one of the fuzzer's seeds with a few bytes changed, or cut off.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/certificate");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("seeds").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let whole: Vec<_> = files.iter().map(|file| std::fs::read(file).expect("a seed")).collect();
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (prop::sample::select(whole), changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(mut content, changes, end, cut)| {
            for (place, byte) in changes {
                let place = place.index(content.len());
                content[place] = byte;
            }
            if cut {
                content.truncate(end.index(content.len()));
            }
            content
        },
    )
}

proptest! {
    #[test]
    fn no_bytes_bring_it_down(content in proptest::collection::vec(any::<u8>(), 0..600)) {
        fuzzing::certificate(&content);
    }

    #[test]
    fn no_text_brings_it_down(
        label in "(CERTIFICATE|PRIVATE KEY|RSA PRIVATE KEY|EC PRIVATE KEY|ENCRYPTED PRIVATE KEY)",
        content in proptest::collection::vec(any::<u8>(), 0..300),
        rest in "[ -~\n]{0,40}",
    ) {
        let text = ::pem::encode(&::pem::Pem::new(label, content));
        fuzzing::certificate(format!("{rest}{text}{rest}").as_bytes());
    }

    #[test]
    fn nothing_that_is_nearly_a_certificate_brings_it_down(content in nearly()) {
        fuzzing::certificate(&content);
    }
}
