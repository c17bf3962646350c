//! Signing in with a certificate, and a look at the assertion that was sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{Secret, SecretBytes};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use entrada::platform::{Clock, Http, HttpError, HttpRequest, HttpResponse, Platform, SystemClock};
use entrada::{
    Cache, CacheLimits, ClientCertificateCredential, ClientCertificateCredentialOptions, Credential, EntraOptions,
    Error, Fetch, TokenRequest,
};
use futures::future::BoxFuture;
use serde_json::Value;

use crate::workshop::{PASSWORD, Workshop};

pub(crate) const TENANT: &str = "contoso.onmicrosoft.com";
pub(crate) const CLIENT: &str = "11111111-1111-4111-8111-111111111111";

/// Gives a token to everybody, and remembers what was shown.
#[derive(Default)]
pub(crate) struct Entra(Mutex<Vec<Vec<(String, String)>>>);

#[async_trait]
impl Http for Entra {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let form = url::form_urlencoded::parse(&request.body).into_owned().collect();
        self.0.lock().expect("no panic").push(form);
        let body = r#"{"token_type":"Bearer","expires_in":3600,"access_token":"t"}"#;
        Ok(HttpResponse { status: 200, headers: Default::default(), body: body.into() })
    }
}

impl Entra {
    pub(crate) fn forms(&self) -> Vec<Vec<(String, String)>> {
        self.0.lock().expect("no panic").clone()
    }
}

/// The time, moved by some days.
struct Moved(i64);

impl Clock for Moved {
    fn elapsed(&self) -> Duration {
        SystemClock.elapsed()
    }

    fn unix_time(&self) -> i64 {
        SystemClock.unix_time() + self.0 * 86400
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        SystemClock.sleep(duration)
    }
}

/// A machine of its own, some days from now, and the Entra it asks.
pub(crate) fn machine(days: i64) -> (Arc<Entra>, EntraOptions) {
    let entra = Arc::new(Entra::default());
    let variables = std::collections::HashMap::<String, String>::new();
    let platform =
        Platform::with_environment(Arc::new(variables)).with_http(entra.clone()).with_clock(Arc::new(Moved(days)));
    let cache = Some(Cache::new(CacheLimits::default()));
    (entra, EntraOptions { platform: Some(platform), cache, ..Default::default() })
}

pub(crate) fn fetch(credential: Arc<dyn Credential>) -> Result<(), Error> {
    let fetch = Fetch::start(credential, TokenRequest::new(["https://vault.azure.net/.default"]));
    fetch.wait_blocking(Duration::from_secs(60)).expect("an outcome").map(drop)
}

/// What was signed, taken apart.
pub(crate) struct Signed {
    pub(crate) header: Value,
    pub(crate) payload: Value,
    input: String,
    signature: Vec<u8>,
}

impl Signed {
    /// The assertion in a form.
    pub(crate) fn of(form: &[(String, String)]) -> Self {
        let value = |name: &str| &form.iter().find(|(key, _)| key == name).expect(name).1;
        assert_eq!(value("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert_eq!(value("client_id"), CLIENT);
        let (input, signature) = value("client_assertion").rsplit_once('.').expect("three parts");
        let (header, payload) = input.split_once('.').expect("three parts");
        let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        Self { header: json(header), payload: json(payload), input: input.to_owned(), signature }
    }

    /// Lets openssl compare it with the certificate `NAME.crt`: signature, thumbprint.
    pub(crate) fn verify(&self, workshop: &Workshop, name: &str) {
        let unique = uuid::Uuid::new_v4();
        let files = ["input", "signature", "public"].map(|kind| format!("{unique}.{kind}"));
        let algorithm = self.header["alg"].as_str().expect("a name");
        let signature = if algorithm.starts_with("ES") { asn1(&self.signature) } else { self.signature.clone() };
        workshop.write(&files[0], &self.input);
        workshop.write(&files[1], signature);
        workshop.openssl(&format!("x509 -in {name}.crt -noout -pubkey -out {}", files[2]));
        let how = match algorithm {
            "PS256" => "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest",
            "RS256" | "ES256" => "-sha256",
            "ES384" => "-sha384",
            other => panic!("{other}"),
        };
        workshop.openssl(&format!("dgst {how} -verify {} -signature {} {}", files[2], files[1], files[0]));

        let (member, digest) = if algorithm == "RS256" { ("x5t", "sha1") } else { ("x5t#S256", "sha256") };
        let printed = workshop.openssl(&format!("x509 -in {name}.crt -noout -fingerprint -{digest}"));
        let printed = String::from_utf8(printed).expect("ASCII");
        let printed = printed.trim().rsplit_once('=').expect("NAME=HEX").1;
        let thumbprint = URL_SAFE_NO_PAD.decode(self.header[member].as_str().expect(member)).expect("base64");
        let hexadecimal: Vec<_> = thumbprint.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(hexadecimal.join(":"), printed);
    }

    /// The certificates in its header, as DER.
    pub(crate) fn chain(&self) -> Vec<Vec<u8>> {
        let members = self.header["x5c"].as_array().expect("a chain");
        members.iter().map(|member| STANDARD.decode(member.as_str().expect("text")).expect("base64")).collect()
    }
}

/// What openssl takes a signature of ECDSA as: a sequence of two numbers.
fn asn1(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let number = |digits: &[u8]| {
        let mut digits: Vec<u8> = digits.iter().copied().skip_while(|digit| *digit == 0).collect();
        if digits.first().is_none_or(|digit| digit & 0x80 != 0) {
            digits.insert(0, 0);
        }
        [vec![2, u8::try_from(digits.len()).expect("short")], digits].concat()
    };
    let numbers = [number(r), number(s)].concat();
    [vec![0x30, u8::try_from(numbers.len()).expect("short")], numbers].concat()
}

pub(crate) fn options(entra: EntraOptions, password: Option<&str>) -> ClientCertificateCredentialOptions {
    let password = password.map(|password| Secret::new(password.to_owned()));
    ClientCertificateCredentialOptions { entra, password, ..Default::default() }
}

/// Signs in with the content of a file.
pub(crate) fn sign_in(workshop: &Workshop, file: &str, password: Option<&str>) -> Result<Signed, Error> {
    sign_in_on(workshop, file, password, 0)
}

/// The same, some days from now.
pub(crate) fn sign_in_on(workshop: &Workshop, file: &str, password: Option<&str>, days: i64) -> Result<Signed, Error> {
    let (entra, machine) = machine(days);
    let content = workshop.read(file);
    let certificate = SecretBytes::new(content.clone());
    let made =
        ClientCertificateCredential::new(TENANT, CLIENT.to_owned(), certificate, Some(options(machine, password)));
    let outcome = made.and_then(|credential| fetch(credential));
    let forms = entra.forms();
    assert_eq!(forms.len(), usize::from(outcome.is_ok()), "what cannot be used is never sent");
    outcome.map(|()| Signed::of(&forms[0])).map_err(|error| {
        let (text, debug) = (error.to_string(), format!("{error:?}"));
        for shown in [text, debug] {
            assert!(!shown.contains(PASSWORD) && !shown.contains("wrong one"), "{shown}");
            let file = String::from_utf8_lossy(&content).into_owned();
            let lines = file.lines().filter(|line| line.len() == 64);
            assert!(lines.flat_map(|line| line.get(..16)).all(|part| !shown.contains(part)), "{shown}");
        }
        error
    })
}
