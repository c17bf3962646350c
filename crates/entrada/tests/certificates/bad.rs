//! What is refused, and why.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use entrada::Outcome;

use crate::Test;
use crate::assertion::{sign_in, sign_in_on};
use crate::workshop::{PASSWORD, Workshop};

pub(crate) fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("refused: PEM, wrong password", |w| {
            encrypted(w, "wrong-password");
            refused(
                w,
                "wrong-password.pem",
                Some("wrong one"),
                "the password of the private key is wrong",
                "pass the right",
            );
        }),
        ("refused: PEM, no password", |w| {
            encrypted(w, "no-password");
            refused(w, "no-password.pem", None, "encrypted, and no password was given", "pass the password");
            refused(w, "no-password.pem", Some(""), "encrypted, and no password was given", "pass the password");
        }),
        ("refused: PFX, wrong password", |w| {
            for (name, how) in [("wrong", ""), ("wrong-legacy", "-legacy"), ("wrong-no-mac", "-nomac")] {
                pfx(w, name, how);
                refused(
                    w,
                    &format!("{name}.pfx"),
                    Some("wrong one"),
                    "the password of the file is wrong",
                    "pass the right",
                );
            }
        }),
        ("refused: PFX, no password", |w| {
            for (name, how) in [("none", ""), ("none-legacy", "-legacy")] {
                pfx(w, name, how);
                refused(w, &format!("{name}.pfx"), None, "encrypted, and no password was given", "pass the password");
            }
        }),
        ("refused: the old encryption of OpenSSL", |w| {
            w.rsa();
            w.openssl("rsa -in rsa.key -aes128 -traditional -passout pass:@ -out dek-info.key");
            w.join(&["dek-info.key", "rsa.crt"], "dek-info.pem");
            refused(w, "dek-info.pem", Some(PASSWORD), "(DEK-Info)", "openssl pkcs8 -topk8");
        }),
        ("refused: PBES1 with MD5", |w| {
            w.rsa();
            w.openssl("pkcs8 -topk8 -v1 PBE-MD5-DES -provider legacy -provider default -in rsa.key -out md5.key -passout pass:@");
            w.join(&["md5.key", "rsa.crt"], "md5.pem");
            refused(w, "md5.pem", Some(PASSWORD), "encrypted in a way that is not supported", "openssl pkcs8 -topk8");
        }),
        ("refused: another key's certificate", |w| {
            w.rsa();
            w.pair("other", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048");
            let ec = w.ec("P-256");
            w.pair("other-ec", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256");
            let certificates = ["rsa.crt".to_owned(), format!("{ec}.crt")];
            for (key, certificate) in [("other.key", 0), ("other-ec.key", 0), ("other.key", 1), ("other-ec.key", 1)] {
                w.join(&[key, &certificates[certificate]], "mismatch.pem");
                refused(
                    w,
                    "mismatch.pem",
                    None,
                    "the private key does not belong to the certificate \"CN=",
                    "openssl pkey",
                );
            }
            w.join(&["other.key", "rsa.crt", &certificates[1]], "mismatches.pem");
            refused(w, "mismatches.pem", None, "belongs to none of the 2 certificates", "openssl pkey");
        }),
        ("refused: no key", |w| {
            w.rsa();
            refused(w, "rsa.crt", None, "holds 1 certificate, but no private key", "cat KEY CERTIFICATE > BOTH");
        }),
        ("refused: no certificate", |w| {
            w.rsa();
            refused(w, "rsa.key", None, "holds a private key, but no certificate", "cat KEY CERTIFICATE > BOTH");
        }),
        ("refused: neither", |w| {
            w.rsa();
            w.openssl("pkey -in rsa.key -pubout -out public.pem");
            refused(
                w,
                "public.pem",
                None,
                "neither a private key nor a certificate is in it, beside PUBLIC KEY",
                "use PEM",
            );
        }),
        ("refused: several keys", |w| {
            w.rsa();
            let ec = w.ec("P-256");
            w.join(&["rsa.pem", &format!("{ec}.pem")], "several.pem");
            refused(w, "several.pem", None, "holds 2 private keys", "a file of their own");
        }),
        ("refused: kinds of keys", |w| {
            for (name, kind, words) in [
                (
                    "rsa-1024",
                    "-algorithm RSA -pkeyopt rsa_keygen_bits:1024",
                    "RSA key has 1024 bits, which is too short",
                ),
                (
                    "p-521",
                    "-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
                    "on the curve P-521, which is not supported",
                ),
                ("k1", "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", "on the curve secp256k1"),
                ("ed25519", "-algorithm ED25519", "of the kind Ed25519, which is not supported"),
                ("pss", "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", "RSA for RSASSA-PSS only"),
            ] {
                w.pair(name, kind);
                refused(w, &format!("{name}.pem"), None, words, "RSA with 2048 to 4096 bits");
            }
        }),
        ("refused: expired", |w| {
            w.rsa();
            let text = refused_on(w, "rsa.pem", 400, "it has expired on 20", "renew the certificate");
            assert!(text.contains("valid from 20") && text.contains("subject \"CN=rsa\""), "{text}");
        }),
        ("refused: not valid yet", |w| {
            w.rsa();
            refused_on(w, "rsa.pem", -400, "it is not valid before 20", "set this machine's clock");
        }),
        ("refused: DER without the rest", |w| {
            w.rsa();
            w.openssl("x509 -in rsa.crt -outform der -out rsa.cer");
            refused(w, "rsa.cer", None, "it holds 1 certificate, but no private key", "cat KEY CERTIFICATE > BOTH");
            let ec = w.ec("P-256");
            w.openssl("pkcs8 -topk8 -nocrypt -in rsa.key -outform der -out pkcs8.der");
            w.openssl("rsa -in rsa.key -traditional -outform der -out pkcs1.der");
            w.openssl(&format!("ec -in {ec}.key -outform der -out sec1.der"));
            w.openssl("pkcs8 -topk8 -in rsa.key -outform der -passout pass:@ -out encrypted.der");
            for name in ["pkcs8.der", "pkcs1.der", "sec1.der"] {
                refused(w, name, None, "it holds a private key, but no certificate", "cat KEY CERTIFICATE > BOTH");
            }
            refused(w, "encrypted.der", None, "is encrypted, and no password was given", "pass the password");
        }),
        ("refused: PKCS#7", |w| {
            w.rsa();
            w.openssl("crl2pkcs7 -nocrl -certfile rsa.crt -outform der -out rsa.p7b");
            refused(w, "rsa.p7b", None, "PKCS#7, .p7b", "openssl pkcs7 -inform der");
        }),
        ("refused: cut off", |w| {
            w.rsa();
            let whole = w.read("rsa.pem");
            w.write("cut.pem", &whole[..whole.len() - 40]);
            refused(w, "cut.pem", None, "its PEM breaks off: 2 blocks begin, 1 end", "copy it again");
            pfx(w, "cut", "");
            let whole = w.read("cut.pfx");
            w.write("cut.pfx", &whole[..whole.len() - 40]);
            refused(w, "cut.pfx", Some(PASSWORD), "the file is damaged", "write it anew");
        }),
        ("refused: PEM that was edited", |w| {
            w.rsa();
            let text = String::from_utf8(w.read("rsa.pem")).expect("PEM");
            for (from, to, words) in [
                (
                    "-----END PRIVATE KEY-----",
                    "-----END CERTIFICATE-----",
                    "an END line does not say what its BEGIN line says",
                ),
                ("-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\n%%%%", "is not base64"),
                ("-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY", "an END line does not say"),
            ] {
                assert!(text.contains(from), "{text}");
                w.write("edited.pem", text.replace(from, to));
                refused(w, "edited.pem", None, words, "copy it again");
            }
        }),
        ("refused: no certificate at all", |w| {
            for (content, words, next) in [
                (b"".to_vec(), "it is empty", "use PEM"),
                (b"hello".to_vec(), "it is neither PEM nor PKCS#12", "use PEM"),
                (vec![7; 1000], "it is neither PEM nor PKCS#12", "use PEM"),
                (vec![0x30, 3, 2, 1, 3], "the file is damaged, or no PKCS#12", "write it anew"),
                (vec![b' '; 300 << 10], "it is larger than 262144 bytes", "use PEM"),
            ] {
                w.write("nothing", content);
                refused(w, "nothing", None, words, next);
            }
        }),
        ("refused: other encodings", |w| {
            pfx(w, "base64", "");
            w.write("base64.txt", STANDARD.encode(w.read("base64.pfx")));
            refused(w, "base64.txt", Some(PASSWORD), "it is base64 without BEGIN and END lines", "base64 -d");
            w.rsa();
            let text = String::from_utf8(w.read("rsa.pem")).expect("PEM");
            let wide: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
            w.write("utf-16.pem", wide);
            refused(w, "utf-16.pem", None, "it is text in UTF-16", "write it in UTF-8");
        }),
        ("refused: the wrong algorithm", wrong_algorithm),
    ]
}

/// Encrypts the usual key, and puts its certificate behind it.
fn encrypted(workshop: &Workshop, name: &str) {
    workshop.rsa();
    workshop.openssl(&format!("pkcs8 -topk8 -in rsa.key -out {name}.key -passout pass:@"));
    workshop.join(&[&format!("{name}.key"), "rsa.crt"], &format!("{name}.pem"));
}

fn pfx(workshop: &Workshop, name: &str, how: &str) {
    workshop.rsa();
    workshop.openssl(&format!("pkcs12 -export -in rsa.pem {how} -out {name}.pfx -passout pass:@"));
}

fn refused(workshop: &Workshop, file: &str, password: Option<&str>, words: &str, next: &str) {
    let Err(error) = sign_in(workshop, file, password) else { panic!("{file} was taken") };
    assert!(error.is_invalid_argument(), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("ClientCertificateCredential: the certificate cannot be used: "), "{file}: {text}");
    assert!(text.contains(words), "{file}: {text}");
    assert!(error.remedy().is_some_and(|remedy| remedy.contains(next)), "{file}: {text}");
}

/// What is only found when a token is requested.
fn refused_on(workshop: &Workshop, file: &str, days: i64, words: &str, next: &str) -> String {
    let Err(error) = sign_in_on(workshop, file, None, days) else { panic!("{file} was taken") };
    assert_eq!(error.outcome(), Outcome::Failed);
    let text = error.to_string();
    assert!(text.contains(words) && error.remedy().is_some_and(|remedy| remedy.contains(next)), "{text}");
    text
}

fn wrong_algorithm(workshop: &Workshop) {
    use azure_core::credentials::SecretBytes;
    use entrada::{ClientCertificateCredential, ClientCertificateCredentialOptions, SignatureAlgorithm};

    use crate::assertion::{CLIENT, TENANT};

    workshop.rsa();
    let ec = workshop.ec("P-256");
    for (file, algorithm, words) in [
        ("rsa.pem", SignatureAlgorithm::Es256, "ES256 was asked for, and it has an RSA key"),
        (
            &format!("{ec}.pem"),
            SignatureAlgorithm::Rs256,
            "RS256 was asked for, and it has an EC key on the curve P-256",
        ),
        (
            &format!("{ec}.pem"),
            SignatureAlgorithm::Es384,
            "ES384 was asked for, and it has an EC key on the curve P-256",
        ),
    ] {
        let options = ClientCertificateCredentialOptions { algorithm: Some(algorithm), ..Default::default() };
        let content = SecretBytes::new(workshop.read(file));
        let Err(error) = ClientCertificateCredential::new(TENANT, CLIENT.into(), content, Some(options)) else {
            panic!("{file} was taken")
        };
        assert!(error.is_invalid_argument() && error.to_string().contains(words), "{error}");
    }
}
