//! Certificates against the emulated Entra, which looks at assertions by code of its own.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use azure_core::credentials::SecretBytes;
use entrada::platform::Platform;
use entrada::{
    Cache, CacheLimits, ClientCertificateCredential, ClientCertificateCredentialOptions, EntraOptions,
    EnvironmentCredential, EnvironmentCredentialOptions, Error, SignatureAlgorithm,
};
use entrada_emulator::config::TrustedSubject;
use entrada_emulator::{Config, Emulator, Host, world};
use tokio::runtime::Runtime;

use crate::Test;
use crate::assertion::{fetch, options};
use crate::workshop::{PASSWORD, Workshop};

pub(crate) fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("emulated: every kind", every_kind),
        ("emulated: the certificate of the run", certificate_of_the_run),
        ("emulated: EC keys where they are taken", ec_keys),
        ("emulated: not registered, until the file is renewed", renewed),
        ("emulated: trusted by subject name", trusted_by_subject_name),
        ("emulated: named by the environment", named_by_the_environment),
    ]
}

/// An Azure of its own, and machines inside it.
struct Azure {
    /// The emulator runs on it.
    _runtime: Runtime,
    emulator: Emulator,
}

impl Azure {
    fn start(config: Config) -> Self {
        let runtime = Runtime::new().expect("threads");
        let emulator = runtime.block_on(Emulator::start(config)).expect("the emulator");
        Self { _runtime: runtime, emulator }
    }

    fn register(&self, workshop: &Workshop, file: &str) {
        let pem = String::from_utf8(workshop.read(file)).expect("PEM");
        self.emulator.register_certificate(world::APP_CLIENT_ID, &pem).expect("registered");
    }

    fn machine(&self, more: &[(&str, &str)]) -> EntraOptions {
        let mut variables: HashMap<_, _> = self.emulator.environment(Host::Laptop).into_iter().collect();
        variables.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let platform = Some(Platform::with_environment(Arc::new(variables)));
        EntraOptions { platform, cache: Some(Cache::new(CacheLimits::default())), ..Default::default() }
    }

    fn sign_in(
        &self,
        content: Vec<u8>,
        options: impl FnOnce(EntraOptions) -> ClientCertificateCredentialOptions,
    ) -> Result<(), Error> {
        let options = Some(options(self.machine(&[])));
        let content = SecretBytes::new(content);
        fetch(ClientCertificateCredential::new(world::TENANT_ID, world::APP_CLIENT_ID.into(), content, options)?)
    }
}

fn code(error: &Error) -> &str {
    error.server_answer().and_then(|answer| answer.code.as_deref()).unwrap_or_else(|| panic!("{error}"))
}

fn every_kind(workshop: &Workshop) {
    let azure = Azure::start(Config::default());
    workshop.rsa();
    azure.register(workshop, "rsa.crt");
    workshop.openssl("rsa -in rsa.key -traditional -out emulated-1.key");
    workshop.join(&["rsa.crt", "emulated-1.key"], "emulated-1.pem");
    workshop.openssl("pkcs8 -topk8 -in rsa.key -out emulated-8.key -passout pass:@");
    workshop.join(&["emulated-8.key", "rsa.crt"], "emulated-8.pem");
    workshop.openssl("pkcs12 -export -in rsa.pem -out emulated.pfx -passout pass:@");
    workshop.openssl("pkcs12 -export -in rsa.pem -legacy -out emulated-old.pfx -passout pass:@");
    let common = "-alias app -keystore emulated.p12 -storetype PKCS12 -storepass @";
    workshop.run("keytool", &format!("-genkeypair -keyalg RSA -keysize 3072 -dname CN=k -validity 30 {common}"));
    workshop.run("keytool", &format!("-exportcert -rfc -file emulated-java.crt {common}"));
    azure.register(workshop, "emulated-java.crt");
    for file in ["rsa.pem", "emulated-1.pem", "emulated-8.pem", "emulated.pfx", "emulated-old.pfx", "emulated.p12"] {
        for algorithm in [None, Some(SignatureAlgorithm::Rs256)] {
            for send_certificate_chain in [false, true] {
                azure
                    .sign_in(workshop.read(file), |entra| ClientCertificateCredentialOptions {
                        algorithm,
                        send_certificate_chain,
                        ..options(entra, Some(PASSWORD))
                    })
                    .unwrap_or_else(|error| panic!("{file} {algorithm:?}: {error}"));
            }
        }
    }
}

fn certificate_of_the_run(_: &Workshop) {
    let azure = Azure::start(Config::default());
    let files = azure.emulator.certificate().expect("a certificate");
    let read = |path: &Path| std::fs::read(path).expect("written");
    for (content, password) in [
        (read(&files.pem), None),
        (read(&files.encrypted_pem), Some(world::CERTIFICATE_PASSWORD)),
        (read(&files.pfx), Some(world::CERTIFICATE_PASSWORD)),
    ] {
        azure.sign_in(content, |entra| options(entra, password)).expect("a token");
    }
}

fn ec_keys(workshop: &Workshop) {
    let name = workshop.ec("P-256");
    for taken in [false, true] {
        let mut config = Config::default();
        config.assertions.elliptic_curves = taken;
        let azure = Azure::start(config);
        azure.register(workshop, &format!("{name}.crt"));
        let outcome = azure.sign_in(workshop.read(&format!("{name}.pem")), |entra| options(entra, None));
        match outcome {
            Ok(()) => assert!(taken),
            Err(error) => {
                assert!(!taken, "{error}");
                assert_eq!(code(&error), "AADSTS5002738");
            }
        }
    }
}

fn renewed(workshop: &Workshop) {
    let azure = Azure::start(Config::default());
    workshop.rsa();
    workshop.pair("unknown", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048");
    azure.register(workshop, "rsa.crt");
    workshop.join(&["unknown.pem"], "emulated-file.pem");
    let credential = ClientCertificateCredential::from_path(
        world::TENANT_ID,
        world::APP_CLIENT_ID.into(),
        workshop.path("emulated-file.pem"),
        Some(options(azure.machine(&[]), None)),
    )
    .expect("valid");
    let error = fetch(credential.clone()).expect_err("not registered");
    assert_eq!(code(&error), "AADSTS700027");
    assert!(error.remedy().is_some(), "{error}");
    workshop.join(&["rsa.pem"], "emulated-file.pem");
    fetch(credential).expect("a token");
}

fn trusted_by_subject_name(workshop: &Workshop) {
    let ec = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    workshop.pair("sni-authority", ec);
    workshop.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out sni.key");
    workshop.openssl("req -new -key sni.key -subj /CN=orders.contoso.example -out sni.csr");
    workshop.openssl(
        "x509 -req -in sni.csr -CA sni-authority.crt -CAkey sni-authority.key -CAcreateserial -days 30 -out sni.crt",
    );
    workshop.join(&["sni-authority.crt", "sni.crt", "sni.key"], "sni.pem");
    let mut config = Config::default();
    let app = config.apps.iter_mut().find(|app| app.client_id == world::APP_CLIENT_ID).expect("built in");
    app.trusted_subjects.push(TrustedSubject {
        name: "orders.contoso.example".into(),
        authority: String::from_utf8(workshop.read("sni-authority.crt")).expect("PEM"),
    });
    let azure = Azure::start(config);
    let sign_in = |send_certificate_chain| {
        azure.sign_in(workshop.read("sni.pem"), |entra| ClientCertificateCredentialOptions {
            send_certificate_chain,
            ..options(entra, None)
        })
    };
    sign_in(true).expect("a token");
    assert_eq!(code(&sign_in(false).expect_err("not registered")), "AADSTS700027");
}

fn named_by_the_environment(workshop: &Workshop) {
    let azure = Azure::start(Config::default());
    workshop.rsa();
    azure.register(workshop, "rsa.crt");
    workshop.openssl("pkcs12 -export -in rsa.pem -out emulated-environment.pfx -passout pass:@");
    let path = workshop.path("emulated-environment.pfx");
    let entra = azure.machine(&[
        ("AZURE_TENANT_ID", world::TENANT_ID),
        ("AZURE_CLIENT_ID", world::APP_CLIENT_ID),
        ("AZURE_CLIENT_SECRET", ""),
        ("AZURE_CLIENT_CERTIFICATE_PATH", path.to_str().expect("Unicode")),
        ("AZURE_CLIENT_CERTIFICATE_PASSWORD", PASSWORD),
    ]);
    fetch(EnvironmentCredential::new(Some(EnvironmentCredentialOptions { entra })).expect("always made"))
        .expect("a token");
}
