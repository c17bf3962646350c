//! Certificates in files, and what becomes of them.

use std::sync::Arc;

use entrada::{
    Cache, ClientCertificateCredential, Credential, EntraOptions, EnvironmentCredential, EnvironmentCredentialOptions,
    Error, Outcome,
};

use crate::Test;
use crate::assertion::{CLIENT, Entra, Signed, TENANT, fetch, machine, options};
use crate::workshop::{PASSWORD, Workshop};

pub(crate) fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("file: renewed without a restart", renewed_without_a_restart),
        ("file: a link is led elsewhere", a_link_is_led_elsewhere),
        ("file: what cannot be read", what_cannot_be_read),
        ("file: named by the environment", named_by_the_environment),
    ]
}

/// The credential of a file, without a cache to speak of: each request is an exchange.
struct Forgetful {
    entra: Arc<Entra>,
    credential: Arc<dyn Credential>,
    cache: Arc<Cache>,
}

impl Forgetful {
    fn new(path: &std::path::Path) -> Result<Self, Error> {
        let (entra, machine) = machine(0);
        let cache = machine.cache.clone().expect("its own");
        let credential =
            ClientCertificateCredential::from_path(TENANT, CLIENT.into(), path, Some(options(machine, None)))?;
        Ok(Self { entra, credential, cache })
    }

    fn sign_in(&self) -> Signed {
        self.cache.clear();
        fetch(Arc::clone(&self.credential)).expect("a token");
        Signed::of(self.entra.forms().last().expect("sent"))
    }
}

fn renewed_without_a_restart(workshop: &Workshop) {
    workshop.rsa();
    let ec = workshop.ec("P-256");
    let [old, new] = ["rsa.pem".to_owned(), format!("{ec}.pem")].map(|name| workshop.read(&name));
    let path = workshop.path("renewed.pem");
    std::fs::write(&path, &old).expect("written");
    let app = Forgetful::new(&path).expect("taken");
    app.sign_in().verify(workshop, "rsa");
    // Written halfway, then gone, then another key than the certificate's: the old one goes on.
    std::fs::write(&path, &new[..new.len() / 2]).expect("written");
    app.sign_in().verify(workshop, "rsa");
    std::fs::remove_file(&path).expect("removed");
    app.sign_in().verify(workshop, "rsa");
    workshop.join(&[&format!("{ec}.key"), "rsa.crt"], "renewed.pem");
    app.sign_in().verify(workshop, "rsa");
    std::fs::write(&path, &new).expect("written");
    app.sign_in().verify(workshop, &ec);
}

#[cfg(unix)]
fn a_link_is_led_elsewhere(workshop: &Workshop) {
    workshop.rsa();
    let ec = workshop.ec("P-256");
    // As Kubernetes does: a link to a folder is replaced.
    for (folder, file) in [("v1", "rsa.pem".to_owned()), ("v2", format!("{ec}.pem"))] {
        std::fs::create_dir(workshop.path(folder)).expect("made");
        std::fs::copy(workshop.path(&file), workshop.path(folder).join("tls.pem")).expect("copied");
    }
    let current = workshop.path("current");
    std::os::unix::fs::symlink("v1", &current).expect("a link");
    let app = Forgetful::new(&current.join("tls.pem")).expect("taken");
    app.sign_in().verify(workshop, "rsa");
    std::os::unix::fs::symlink("v2", workshop.path("next")).expect("a link");
    std::fs::rename(workshop.path("next"), &current).expect("replaced");
    app.sign_in().verify(workshop, &ec);
}

#[cfg(not(unix))]
fn a_link_is_led_elsewhere(_: &Workshop) {}

fn what_cannot_be_read(workshop: &Workshop) {
    workshop.write("large.pem", vec![b' '; 300 << 10]);
    for (path, words, next) in [
        (workshop.path("no-such.pem"), "there is no such file", "check the path"),
        (workshop.path(""), "it is not a regular file", "name a regular file"),
        (workshop.path("large.pem"), "it is larger than 262144 bytes", "one private key"),
    ] {
        let Err(error) = Forgetful::new(&path) else { panic!("{} was taken", path.display()) };
        let text = error.to_string();
        assert!(error.is_invalid_argument() && text.contains(&path.display().to_string()), "{text}");
        assert!(text.contains(words) && text.contains(next), "{text}");
    }
}

fn named_by_the_environment(workshop: &Workshop) {
    workshop.rsa();
    workshop.openssl("pkcs12 -export -in rsa.pem -out environment.pfx -passout pass:@");
    let sign_in = |file: &str, password: &str, chain: &str| {
        let variables: std::collections::HashMap<_, _> = [
            ("AZURE_TENANT_ID", TENANT),
            ("AZURE_CLIENT_ID", CLIENT),
            ("AZURE_CLIENT_CERTIFICATE_PATH", workshop.path(file).to_str().expect("Unicode")),
            ("AZURE_CLIENT_CERTIFICATE_PASSWORD", password),
            ("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", chain),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let (entra, machine) = machine(0);
        let platform = entrada::platform::Platform::with_environment(Arc::new(variables)).with_http(entra.clone());
        let options = EnvironmentCredentialOptions { entra: EntraOptions { platform: Some(platform), ..machine } };
        let outcome = fetch(EnvironmentCredential::new(Some(options)).expect("always made"));
        outcome.map(|()| Signed::of(&entra.forms()[0]))
    };
    let signed = sign_in("environment.pfx", PASSWORD, "").expect("a token");
    assert!(signed.header.get("x5c").is_none());
    signed.verify(workshop, "rsa");
    assert_eq!(sign_in("environment.pfx", PASSWORD, "TRUE").expect("a token").chain().len(), 1);
    assert!(sign_in("environment.pfx", PASSWORD, "false").expect("a token").header.get("x5c").is_none());
    for (file, password, chain, words) in [
        ("environment.pfx", "wrong one", "", "environment.pfx cannot be used: the password of the file is wrong"),
        ("no-such.pfx", PASSWORD, "", "no-such.pfx cannot be used: there is no such file"),
        ("environment.pfx", PASSWORD, "perhaps", "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN is \"perhaps\""),
    ] {
        let Err(error) = sign_in(file, password, chain) else { panic!("taken") };
        assert_eq!(error.outcome(), Outcome::Failed);
        let text = error.to_string();
        assert!(text.starts_with("EnvironmentCredential: ") && text.contains(words), "{text}");
    }
}
