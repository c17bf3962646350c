//! What an app signs to prove itself.

use crate::support::{Answer, Run};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use entrada_emulator::world;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The key of the run's certificate, and a certificate for it.
pub(crate) struct Proof {
    key: Vec<u8>,
    pub(crate) certificate: Vec<u8>,
}

pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(elapsed.as_secs()).expect("a time")
}

pub(crate) fn sha1(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    URL_SAFE_NO_PAD.encode(digest)
}

/// The content of the first PEM block with a label.
pub(crate) fn block(pem: &str, label: &str) -> Vec<u8> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----")).expect(label);
    let (body, _) = rest.split_once("-----END").expect("an end");
    STANDARD.decode(body.split_whitespace().collect::<String>()).expect("base64")
}

pub(crate) fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}

impl Proof {
    /// The proof of the run.
    pub(crate) fn of(run: &Run) -> Self {
        let files = run.emulator.certificate().expect("a certificate");
        let text = std::fs::read_to_string(files.pem).expect("a file");
        Self { key: block(&text, "PRIVATE KEY"), certificate: block(&text, "CERTIFICATE") }
    }

    pub(crate) fn pair(&self) -> KeyPair {
        KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(self.key.as_slice()), &PKCS_RSA_SHA256)
            .expect("a key")
    }

    /// Another certificate for the same key.
    pub(crate) fn certified(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        change(&mut params);
        let certificate = params.self_signed(&self.pair()).expect("a certificate").der().to_vec();
        Self { key: self.key.clone(), certificate }
    }

    /// The claims of a good assertion of `orders-ci` for its token endpoint.
    pub(crate) fn claims() -> Value {
        json!({
            "aud": format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", world::TENANT_ID),
            "iss": world::APP_CLIENT_ID,
            "sub": world::APP_CLIENT_ID,
            "jti": uuid::Uuid::new_v4().to_string(),
            "nbf": now(),
            "exp": now() + 600,
        })
    }

    /// The header of a good assertion.
    pub(crate) fn header(&self) -> Value {
        json!({"alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(Sha256::digest(&self.certificate))})
    }

    /// Signs as the header says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let body = unsigned(header, claims);
        let encoding: &'static dyn RsaEncoding = match header["alg"].as_str() {
            Some("PS256") => &RSA_PSS_SHA256,
            _ => &RSA_PKCS1_SHA256,
        };
        let key = RsaKeyPair::from_pkcs8(&self.key).expect("a key");
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(encoding, &SystemRandom::new(), body.as_bytes(), &mut signature).expect("signed");
        format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn good(&self) -> String {
        self.sign(&self.header(), &Self::claims())
    }
}

pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// An EC key with its certificate, and an assertion by it.
pub(crate) fn by_elliptic_curve(claims: &Value) -> (Vec<u8>, String) {
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::default().self_signed(&key).expect("a certificate").der().to_vec();
    let header = json!({"alg": "ES256", "x5t": sha1(&certificate)});
    let random = SystemRandom::new();
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.serialized_der(), &random).expect("a key");
    let body = unsigned(&header, claims);
    let signature = pair.sign(&random, body.as_bytes()).expect("signed");
    (certificate, format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Asks for a token of Key Vault with an assertion.
pub(crate) async fn show(run: &Run, client_id: &str, assertion: &str) -> Answer {
    let path = format!("{}/oauth2/v2.0/token", world::TENANT_ID);
    run.post(
        &path,
        &[
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
            ("scope", "https://vault.azure.net/.default"),
        ],
    )
    .await
}

/// The code of a refusal, and its text.
pub(crate) fn refusal(answer: &Answer) -> (u64, String) {
    let body = answer.json();
    let code = body["error_codes"][0].as_u64().unwrap_or_else(|| panic!("{answer:?}"));
    (code, body["error_description"].as_str().expect("a text").to_owned())
}
