//! What is taken.

use azure_core::credentials::SecretBytes;
use entrada::{ClientCertificateCredential, ClientCertificateCredentialOptions, EntraOptions, SignatureAlgorithm};

use crate::Test;
use crate::assertion::{CLIENT, Signed, TENANT, fetch, machine, options, sign_in};
use crate::workshop::{PASSWORD, Workshop};

pub(crate) fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("what an assertion says", what_an_assertion_says),
        ("PEM: PKCS#8, key first or last", pem_in_any_order),
        ("PEM: PKCS#1", |w| rsa(w, "pkcs1", "rsa -in rsa.key -traditional -out $.key", None)),
        ("PEM: encrypted, AES-256 and HMAC-SHA256", |w| encrypted(w, "aes", "-v2 aes-256-cbc")),
        ("PEM: encrypted, AES-128 and HMAC-SHA512", |w| {
            encrypted(w, "aes128", "-v2 aes-128-cbc -v2prf hmacWithSHA512")
        }),
        ("PEM: encrypted, Triple DES and HMAC-SHA1", |w| encrypted(w, "des3", "-v2 des3 -v2prf hmacWithSHA1")),
        ("PEM: encrypted, scrypt", |w| encrypted(w, "scrypt", "-scrypt")),
        ("PEM: encrypted, PBES1 with Triple DES", |w| encrypted(w, "pbe-des3", "-v1 PBE-SHA1-3DES")),
        ("PEM: encrypted, PBES1 with RC2-40", |w| {
            encrypted(w, "pbe-rc2", "-v1 PBE-SHA1-RC2-40 -provider legacy -provider default");
        }),
        ("PEM: with lines of Windows", pem_with_lines_of_windows),
        ("PEM: with attributes, as openssl pkcs12 writes it", pem_with_attributes),
        ("PEM: a password that is not needed", |w| {
            w.rsa();
            sign_in(w, "rsa.pem", Some(PASSWORD)).expect("taken").verify(w, "rsa");
        }),
        ("PEM: RSA with 4096 bits", |w| {
            w.pair("rsa-4096", "-algorithm RSA -pkeyopt rsa_keygen_bits:4096");
            sign_in(w, "rsa-4096.pem", None).expect("taken").verify(w, "rsa-4096");
        }),
        ("PEM: EC, PKCS#8", ec_pkcs8),
        ("PEM: EC, SEC1", ec_sec1),
        ("PEM: EC, SEC1 without the public key", ec_without_the_public_key),
        ("PEM: EC, encrypted", ec_encrypted),
        ("DER: a key of any form, and its certificate behind it or before it", der_in_any_order),
        ("PFX: of today", |w| pfx(w, "modern", "", Some(PASSWORD))),
        ("PFX: legacy, RC2-40 and Triple DES", |w| pfx(w, "legacy", "-legacy", Some(PASSWORD))),
        ("PFX: Triple DES for all", |w| {
            pfx(w, "descert", "-descert -legacy -keypbe PBE-SHA1-3DES", Some(PASSWORD));
        }),
        ("PFX: a MAC with SHA-512", |w| pfx(w, "mac-sha512", "-macalg sha512", Some(PASSWORD))),
        ("PFX: an empty password, given", |w| pfx(w, "empty", "", Some(""))),
        ("PFX: an empty password, not given", |w| pfx(w, "empty-not-given", "", None)),
        ("PFX: an empty password, legacy", |w| pfx(w, "empty-legacy", "-legacy", None)),
        ("PFX: no MAC", |w| pfx(w, "no-mac", "-nomac", Some(PASSWORD))),
        ("PFX: nothing encrypted", |w| pfx(w, "clear", "-keypbe NONE -certpbe NONE -nomac", None)),
        ("PFX: nothing encrypted, a MAC of no known password", |w| {
            w.rsa();
            w.openssl("pkcs12 -export -in rsa.pem -keypbe NONE -certpbe NONE -out mac-only.pfx -passout pass:@");
            sign_in(w, "mac-only.pfx", None).expect("taken").verify(w, "rsa");
        }),
        ("PFX: EC", pfx_ec),
        ("keytool: RSA", |w| keytool(w, "jks-rsa", "-keyalg RSA -keysize 2048", "")),
        ("keytool: EC", |w| keytool(w, "jks-ec", "-keyalg EC -groupname secp256r1", "")),
        ("keytool: EC, P-384", |w| keytool(w, "jks-ec-384", "-keyalg EC -groupname secp384r1", "")),
        ("keytool: the old encryption", |w| {
            keytool(w, "jks-legacy", "-keyalg RSA -keysize 2048", "-J-Dkeystore.pkcs12.legacy");
        }),
        ("chain: in any order, sent leaf first", chain_in_any_order),
        ("chain: from a PFX", chain_from_a_pfx),
        ("a renewed certificate of the same key", renewed_certificate_of_the_same_key),
        ("RS256 where it is asked for", rs256),
        ("RS256 at AD FS", ad_fs),
    ]
}

fn what_an_assertion_says(workshop: &Workshop) {
    workshop.rsa();
    let signed = sign_in(workshop, "rsa.pem", None).expect("taken");
    signed.verify(workshop, "rsa");
    assert_eq!(signed.header["typ"], "JWT");
    assert_eq!(signed.header["alg"], "PS256");
    assert!(signed.header.get("x5c").is_none() && signed.header.get("x5t").is_none());
    let payload = &signed.payload;
    assert_eq!(payload["aud"], "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token");
    assert_eq!((payload["iss"].as_str(), payload["sub"].as_str()), (Some(CLIENT), Some(CLIENT)));
    let number = |name: &str| payload[name].as_i64().expect("an integer");
    assert_eq!(number("exp"), number("nbf") + 600);
    assert_eq!(number("iat"), number("nbf"));
    let again = sign_in(workshop, "rsa.pem", None).expect("taken");
    assert_ne!(again.payload["jti"], payload["jti"], "each is good once");
}

fn pem_in_any_order(workshop: &Workshop) {
    workshop.rsa();
    sign_in(workshop, "rsa.pem", None).expect("taken").verify(workshop, "rsa");
    workshop.join(&["rsa.crt", "rsa.key"], "key-last.pem");
    sign_in(workshop, "key-last.pem", None).expect("taken").verify(workshop, "rsa");
}

/// Rewrites the usual key; `$` stands for the name of the file.
fn rsa(workshop: &Workshop, name: &str, rewrite: &str, password: Option<&str>) {
    workshop.rsa();
    workshop.openssl(&rewrite.replace('$', name));
    let file = format!("{name}.pem");
    workshop.join(&[&format!("{name}.key"), "rsa.crt"], &file);
    sign_in(workshop, &file, password).expect("taken").verify(workshop, "rsa");
}

fn encrypted(workshop: &Workshop, name: &str, how: &str) {
    let rewrite = format!("pkcs8 -topk8 {how} -in rsa.key -out $.key -passout pass:@");
    rsa(workshop, name, &rewrite, Some(PASSWORD));
    let key = String::from_utf8(workshop.read(&format!("{name}.key"))).expect("PEM");
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{key}");
}

fn der_in_any_order(workshop: &Workshop) {
    workshop.rsa();
    workshop.openssl("x509 -in rsa.crt -outform der -out whole.cer");
    for (name, form) in [
        ("pkcs8", "pkcs8 -topk8 -nocrypt -in rsa.key -outform der -out $"),
        ("pkcs1", "rsa -in rsa.key -traditional -outform der -out $"),
        ("encrypted", "pkcs8 -topk8 -in rsa.key -outform der -passout pass:@ -out $"),
    ] {
        let key = format!("whole-{name}.der");
        workshop.openssl(&form.replace('$', &key));
        workshop.join(&[&key, "whole.cer"], "key-first.der");
        workshop.join(&["whole.cer", &key], "key-last.der");
        for file in ["key-first.der", "key-last.der"] {
            sign_in(workshop, file, Some(PASSWORD)).expect("taken").verify(workshop, "rsa");
        }
    }
    let ec = workshop.ec("P-256");
    workshop.openssl(&format!("ec -in {ec}.key -outform der -out whole-ec.der"));
    workshop.openssl(&format!("x509 -in {ec}.crt -outform der -out whole-ec.cer"));
    workshop.join(&["whole-ec.der", "whole-ec.cer"], "whole-ec-both.der");
    sign_in(workshop, "whole-ec-both.der", None).expect("taken").verify(workshop, &ec);
}

fn pem_with_lines_of_windows(workshop: &Workshop) {
    workshop.rsa();
    let text = String::from_utf8(workshop.read("rsa.pem")).expect("PEM");
    workshop.write("windows.pem", format!("\u{feff}{}", text.replace('\n', "\r\n")));
    sign_in(workshop, "windows.pem", None).expect("taken").verify(workshop, "rsa");
}

fn pem_with_attributes(workshop: &Workshop) {
    workshop.rsa();
    workshop.openssl("pkcs12 -export -in rsa.pem -name friendly -out attributes.pfx -passout pass:@");
    workshop.openssl("pkcs12 -in attributes.pfx -passin pass:@ -nodes -out attributes.pem");
    let text = String::from_utf8(workshop.read("attributes.pem")).expect("PEM");
    assert!(text.contains("Bag Attributes"), "{text}");
    sign_in(workshop, "attributes.pem", None).expect("taken").verify(workshop, "rsa");
}

fn ec_pkcs8(workshop: &Workshop) {
    for (curve, algorithm) in [("P-256", "ES256"), ("P-384", "ES384")] {
        let name = workshop.ec(curve);
        let signed = sign_in(workshop, &format!("{name}.pem"), None).expect("taken");
        assert_eq!(signed.header["alg"], algorithm);
        signed.verify(workshop, &name);
    }
}

fn ec_sec1(workshop: &Workshop) {
    let name = workshop.ec("P-256");
    workshop.openssl("ecparam -name prime256v1 -out parameters.pem");
    workshop.openssl(&format!("ec -in {name}.key -out sec1.key"));
    workshop.join(&["parameters.pem", "sec1.key", &format!("{name}.crt")], "sec1.pem");
    sign_in(workshop, "sec1.pem", None).expect("taken").verify(workshop, &name);
}

fn ec_without_the_public_key(workshop: &Workshop) {
    let name = workshop.ec("P-384");
    workshop.openssl(&format!("ec -in {name}.key -no_public -out no-public.key"));
    workshop.join(&["no-public.key", &format!("{name}.crt")], "no-public.pem");
    sign_in(workshop, "no-public.pem", None).expect("taken").verify(workshop, &name);
}

fn ec_encrypted(workshop: &Workshop) {
    let name = workshop.ec("P-256");
    workshop.openssl(&format!("pkcs8 -topk8 -in {name}.key -out ec-encrypted.key -passout pass:@"));
    workshop.join(&["ec-encrypted.key", &format!("{name}.crt")], "ec-encrypted.pem");
    sign_in(workshop, "ec-encrypted.pem", Some(PASSWORD)).expect("taken").verify(workshop, &name);
}

fn pfx(workshop: &Workshop, name: &str, how: &str, password: Option<&str>) {
    workshop.rsa();
    let pass = if password.is_none_or(str::is_empty) { "pass:" } else { "pass:@" };
    workshop.openssl(&format!("pkcs12 -export -in rsa.pem {how} -out {name}.pfx -passout {pass}"));
    sign_in(workshop, &format!("{name}.pfx"), password).expect("taken").verify(workshop, "rsa");
}

fn pfx_ec(workshop: &Workshop) {
    let name = workshop.ec("P-256");
    workshop.openssl(&format!("pkcs12 -export -in {name}.pem -out {name}.pfx -passout pass:@"));
    sign_in(workshop, &format!("{name}.pfx"), Some(PASSWORD)).expect("taken").verify(workshop, &name);
}

fn keytool(workshop: &Workshop, name: &str, key: &str, how: &str) {
    let common = format!("-alias app -keystore {name}.p12 -storetype PKCS12 -storepass @ {how}");
    workshop.run("keytool", &format!("-genkeypair {key} -dname CN={name} -validity 30 {common}"));
    workshop.run("keytool", &format!("-exportcert -rfc -file {name}.crt {common}"));
    sign_in(workshop, &format!("{name}.p12"), Some(PASSWORD)).expect("taken").verify(workshop, name);
}

/// Makes `leaf`, issued by `intermediate`, issued by `root`; and `stranger`, which has to do with none.
fn make_chain(workshop: &Workshop, prefix: &str) {
    let file = |name: &str| format!("{prefix}-{name}");
    workshop.write(&file("ca.ext"), "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n");
    workshop.write(&file("leaf.ext"), "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n");
    let ec = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    workshop.pair(&file("root"), ec);
    workshop.pair(&file("stranger"), ec);
    for (name, issuer, extensions) in [("intermediate", "root", "ca.ext"), ("leaf", "intermediate", "leaf.ext")] {
        let [name, issuer, extensions] = [file(name), file(issuer), file(extensions)];
        let kind = if name.ends_with("leaf") { "-algorithm RSA -pkeyopt rsa_keygen_bits:2048" } else { ec };
        workshop.openssl(&format!("genpkey {kind} -out {name}.key"));
        workshop.openssl(&format!("req -new -key {name}.key -subj /CN={name} -out {name}.csr"));
        workshop.openssl(&format!(
            "x509 -req -in {name}.csr -CA {issuer}.crt -CAkey {issuer}.key -CAcreateserial -days 30 -extfile {extensions} -out {name}.crt"
        ));
    }
}

fn sent_chain(workshop: &Workshop, file: &str, password: Option<&str>) -> Vec<Vec<u8>> {
    let (entra, machine) = machine(0);
    let options = ClientCertificateCredentialOptions { send_certificate_chain: true, ..options(machine, password) };
    let content = SecretBytes::new(workshop.read(file));
    let credential = ClientCertificateCredential::new(TENANT, CLIENT.into(), content, Some(options)).expect("taken");
    fetch(credential).expect("a token");
    Signed::of(&entra.forms()[0]).chain()
}

fn der(workshop: &Workshop, names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| workshop.openssl(&format!("x509 -in {name}.crt -outform der"))).collect()
}

fn chain_in_any_order(workshop: &Workshop) {
    make_chain(workshop, "any");
    let expected = der(workshop, &["any-leaf", "any-intermediate", "any-root"]);
    for (index, order) in [
        ["any-root.crt", "any-stranger.crt", "any-leaf.key", "any-intermediate.crt", "any-leaf.crt"],
        ["any-leaf.key", "any-leaf.crt", "any-intermediate.crt", "any-root.crt", "any-stranger.crt"],
        ["any-stranger.crt", "any-intermediate.crt", "any-root.crt", "any-leaf.crt", "any-leaf.key"],
    ]
    .iter()
    .enumerate()
    {
        let file = format!("any-{index}.pem");
        workshop.join(order, &file);
        assert!(sent_chain(workshop, &file, None) == expected, "{order:?}");
    }
}

fn chain_from_a_pfx(workshop: &Workshop) {
    make_chain(workshop, "pfx");
    workshop.join(&["pfx-root.crt", "pfx-intermediate.crt"], "pfx-others.crt");
    workshop.openssl(
        "pkcs12 -export -inkey pfx-leaf.key -in pfx-leaf.crt -certfile pfx-others.crt -out pfx-chain.pfx -passout pass:@",
    );
    let expected = der(workshop, &["pfx-leaf", "pfx-intermediate", "pfx-root"]);
    assert!(sent_chain(workshop, "pfx-chain.pfx", Some(PASSWORD)) == expected);
}

fn renewed_certificate_of_the_same_key(workshop: &Workshop) {
    workshop.rsa();
    workshop.openssl("req -x509 -new -key rsa.key -out later.crt -days 700 -subj /CN=rsa");
    workshop.join(&["rsa.key", "rsa.crt", "later.crt"], "both.pem");
    sign_in(workshop, "both.pem", None).expect("taken").verify(workshop, "later");
}

fn rs256(workshop: &Workshop) {
    workshop.rsa();
    let (entra, machine) = machine(0);
    let options =
        ClientCertificateCredentialOptions { algorithm: Some(SignatureAlgorithm::Rs256), ..options(machine, None) };
    let content = SecretBytes::new(workshop.read("rsa.pem"));
    fetch(ClientCertificateCredential::new(TENANT, CLIENT.into(), content, Some(options)).expect("taken"))
        .expect("a token");
    let signed = Signed::of(&entra.forms()[0]);
    assert_eq!(signed.header["alg"], "RS256");
    signed.verify(workshop, "rsa");
}

fn ad_fs(workshop: &Workshop) {
    workshop.rsa();
    let (entra, machine) = machine(0);
    let machine = EntraOptions { authority: Some("https://adfs.contoso.example/adfs".into()), ..machine };
    let content = SecretBytes::new(workshop.read("rsa.pem"));
    let options = Some(options(machine, None));
    fetch(ClientCertificateCredential::new("adfs", CLIENT.into(), content, options).expect("taken")).expect("a token");
    let signed = Signed::of(&entra.forms()[0]);
    assert_eq!(signed.header["alg"], "RS256");
    assert_eq!(signed.payload["aud"], "https://adfs.contoso.example/adfs/oauth2/token");
    signed.verify(workshop, "rsa");
}
