//! Apps that prove themselves with a certificate.

use crate::app_proof::{Proof, by_elliptic_curve, now, pem, refusal, sha1, show, unsigned};
use crate::support::{claims, send, start, start_with};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use entrada_emulator::config::{AppCertificate, TrustedSubject};
use entrada_emulator::{CertificateError, Config, Host, world};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

#[tokio::test]
async fn the_certificate_of_the_run_signs_two_apps_in() {
    let run = start().await;
    let proof = Proof::of(&run);
    let answer = show(&run, world::APP_CLIENT_ID, &proof.good()).await;
    let token = answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    assert_eq!(claims(&token)["appidacr"], "2");
    assert_eq!(claims(&token)["oid"], world::APP_OBJECT_ID);
    let mut of_api = Proof::claims();
    of_api["iss"] = world::API_CLIENT_ID.into();
    of_api["sub"] = world::API_CLIENT_ID.into();
    let answer = show(&run, world::API_CLIENT_ID, &proof.sign(&proof.header(), &of_api)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn its_files_are_named_by_variables_and_only_the_owner_reads_them() {
    let run = start().await;
    let environment = run.emulator.environment(Host::Laptop);
    let value = |name: &str| environment.iter().find(|(other, _)| other == name).expect(name).1.clone();
    let files = run.emulator.certificate().expect("a certificate");
    for (name, file, begins) in [
        ("ENTRADA_EMULATOR_CERTIFICATE", &files.pem, "-----BEGIN PRIVATE KEY-----"),
        ("ENTRADA_EMULATOR_CERTIFICATE_ENCRYPTED", &files.encrypted_pem, "-----BEGIN ENCRYPTED PRIVATE KEY-----"),
        ("ENTRADA_EMULATOR_CERTIFICATE_PFX", &files.pfx, "0\u{82}"),
    ] {
        assert_eq!(value(name), file.to_string_lossy());
        let content: String = std::fs::read(file).expect("a file").into_iter().map(char::from).collect();
        assert!(content.starts_with(begins), "{name}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(file).expect("a file").permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
    let password = value("ENTRADA_EMULATOR_CERTIFICATE_PASSWORD");
    assert_eq!(password, world::CERTIFICATE_PASSWORD);
    // What was written is what the key of the run opens.
    let pfx = std::fs::read(&files.pfx).expect("a file");
    let policy = p12_keystore::Pkcs12ImportPolicy::Strict;
    let store = p12_keystore::KeyStore::from_pkcs12(&pfx, &password, policy).expect("a PFX");
    let (_, chain) = store.private_key_chain().expect("a key");
    assert_eq!(chain.certs()[0].as_der(), Proof::of(&run).certificate);
    assert!(p12_keystore::KeyStore::from_pkcs12(&pfx, "guess", p12_keystore::Pkcs12ImportPolicy::Strict).is_err());
    let folder = files.pem.parent().expect("a folder").to_path_buf();
    run.emulator.shutdown().await;
    assert!(!folder.exists());
}

#[tokio::test]
async fn what_names_the_certificate_may_differ() {
    let run = start().await;
    let proof = Proof::of(&run);
    let thumbprint = sha1(&proof.certificate);
    let digits: String =
        URL_SAFE.decode(format!("{thumbprint}=")).expect("base64").iter().map(|byte| format!("{byte:02X}")).collect();
    for header in [
        json!({"alg": "RS256", "typ": "JWT", "x5t": thumbprint}),
        json!({"alg": "RS256", "x5t": format!("{thumbprint}=")}),
        json!({"alg": "RS256", "kid": digits}),
        json!({"alg": "PS256", "x5t": thumbprint}),
    ] {
        let answer = show(&run, world::APP_CLIENT_ID, &proof.sign(&header, &Proof::claims())).await;
        assert_eq!(answer.status, 200, "{header}: {answer:?}");
    }
}

#[tokio::test]
async fn every_name_of_the_tenant_is_an_audience() {
    let run = start().await;
    let proof = Proof::of(&run);
    let check = |audience: String| {
        let mut claims = Proof::claims();
        claims["aud"] = audience.into();
        let assertion = proof.sign(&proof.header(), &claims);
        let run = &run;
        async move { show(run, world::APP_CLIENT_ID, &assertion).await }
    };
    let (id, domain) = (world::TENANT_ID, world::TENANT_DOMAIN);
    for good in [
        format!("https://login.microsoftonline.com/{domain}/oauth2/v2.0/token"),
        format!("https://login.microsoftonline.com/{id}/oauth2/token"),
        format!("https://login.microsoftonline.com/{id}/v2.0"),
        format!("https://login.windows.net/{id}/v2.0"),
        format!("https://sts.windows.net/{id}/"),
    ] {
        let answer = check(good.clone()).await;
        assert_eq!(answer.status, 200, "{good}: {answer:?}");
    }
    for bad in [
        format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", world::US_TENANT_ID),
        format!("https://login.microsoftonline.us/{id}/oauth2/v2.0/token"),
        format!("https://login.microsoftonline.com/{id}/oauth2/v2.0/authorize"),
        format!("http://login.microsoftonline.com/{id}/v2.0"),
        "https://login.microsoftonline.com/common/oauth2/v2.0/token".to_owned(),
        "api://AzureADTokenExchange".to_owned(),
    ] {
        let answer = check(bad.clone()).await;
        let (code, text) = refusal(&answer);
        assert_eq!((answer.status, code), (401, 700_023), "{bad}");
        assert!(text.contains(&bad), "{text}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_assertion_is_said() {
    let run = start().await;
    let proof = Proof::of(&run);
    let header = proof.header();
    let with = |name: &str, value: Value| {
        let mut claims = Proof::claims();
        claims[name] = value;
        proof.sign(&header, &claims)
    };
    let mut forged = proof.good();
    forged.truncate(forged.len() - 4);
    forged.push_str("AAAA");
    let stranger = proof.certified("stranger", |_| {});
    let thumbprint = |proof: &Proof| {
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &proof.certificate);
        digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<String>()
    };
    let by_thumbprint =
        |proof: &Proof| proof.sign(&json!({"alg": "RS256", "x5t": sha1(&proof.certificate)}), &Proof::claims());
    let none = format!("{}.", unsigned(&json!({"alg": "none"}), &Proof::claims()));
    for (assertion, status, code, words) in [
        (forged, 401, 700_027, "expected signature value".to_owned()),
        (
            by_thumbprint(&stranger),
            401,
            700_027,
            format!("The key was not found., Thumbprint of key used by client: '{}'", thumbprint(&stranger)),
        ),
        (none, 400, 5_002_738, "'none' is not a supported".to_owned()),
        (
            unsigned(&json!({"alg": "HS256", "x5t": "AA"}), &Proof::claims()) + ".AAAA",
            400,
            5_002_738,
            "'HS256'".to_owned(),
        ),
        (by_elliptic_curve(&Proof::claims()).1, 400, 5_002_738, "'ES256'".to_owned()),
        (proof.sign(&json!({"alg": "RS256"}), &Proof::claims()), 400, 50_027, "No certificate thumbprint".to_owned()),
        (with("exp", (now() - 1).into()), 401, 700_024, "not within its valid time range".to_owned()),
        (with("exp", Value::Null), 401, 700_024, "not within its valid time range".to_owned()),
        (with("nbf", (now() + 900).into()), 401, 700_024, "not within its valid time range".to_owned()),
        (with("sub", world::NEWCOMER_CLIENT_ID.into()), 401, 700_021, "doesn't match 'client_id'".to_owned()),
        (with("iss", world::NEWCOMER_CLIENT_ID.into()), 401, 700_021, "doesn't match 'client_id'".to_owned()),
        ("not.a.token".to_owned(), 400, 50_027, "malformed".to_owned()),
    ] {
        let answer = show(&run, world::APP_CLIENT_ID, &assertion).await;
        let (found, text) = refusal(&answer);
        assert_eq!((answer.status, found), (status, code), "{text}");
        assert!(text.contains(&words), "{words} in {text}");
        let last = run.emulator.journal().entries().pop().expect("an entry");
        let note = last.note.expect("a note");
        assert!(note.starts_with(&format!("AADSTS{code}")), "{note}");
        if let Some((reason, _)) = words.split_once(',') {
            assert!(note.contains(reason), "{note}");
        }
    }
    // An hour, and fractions of seconds, are nothing that Entra minds.
    for (name, value) in [("exp", json!(now() + 3_600)), ("exp", json!(now() as f64 + 599.5))] {
        assert_eq!(show(&run, world::APP_CLIENT_ID, &with(name, value)).await.status, 200);
    }
    // Nor that one is shown again: MSAL does.
    let again = proof.good();
    assert_eq!(show(&run, world::APP_CLIENT_ID, &again).await.status, 200);
    assert_eq!(show(&run, world::APP_CLIENT_ID, &again).await.status, 200);
}

#[tokio::test]
async fn a_world_may_ask_more_or_less() {
    let text = "[assertions]\nrefuse_replays = true\nlongest_seconds = 900\nelliptic_curves = true\n";
    let run = start_with(Config::from_toml(text).expect("valid")).await;
    let proof = Proof::of(&run);
    let once = proof.good();
    assert_eq!(show(&run, world::APP_CLIENT_ID, &once).await.status, 200);
    assert_eq!(refusal(&show(&run, world::APP_CLIENT_ID, &once).await).0, 700_027);
    let mut long = Proof::claims();
    long["exp"] = (now() + 1_000).into();
    assert_eq!(refusal(&show(&run, world::APP_CLIENT_ID, &proof.sign(&proof.header(), &long)).await).0, 700_024);
    let (certificate, assertion) = by_elliptic_curve(&Proof::claims());
    run.emulator.register_certificate(world::APP_CLIENT_ID, &pem(&certificate)).expect("registered");
    assert_eq!(show(&run, world::APP_CLIENT_ID, &assertion).await.status, 200);
}

#[tokio::test]
async fn certificates_are_registered_and_removed_while_it_runs() {
    let run = start().await;
    let proof = Proof::of(&run);
    let of_newcomer = |proof: &Proof| {
        let mut claims = Proof::claims();
        claims["iss"] = world::NEWCOMER_CLIENT_ID.into();
        claims["sub"] = world::NEWCOMER_CLIENT_ID.into();
        proof.sign(&proof.header(), &claims)
    };
    let shown = |assertion: String| {
        let run = &run;
        async move { show(run, world::NEWCOMER_CLIENT_ID, &assertion).await }
    };
    assert_eq!(refusal(&shown(of_newcomer(&proof)).await).0, 700_027);
    let body = json!({"client_id": world::NEWCOMER_CLIENT_ID, "pem": pem(&proof.certificate)});
    assert_eq!(send(run.control("PUT", "/certificates").body(body.to_string())).await.status, 204);
    assert_eq!(shown(of_newcomer(&proof)).await.status, 200);

    let expired = proof.certified("old", |params| params.not_after = rcgen::date_time_ymd(2024, 1, 31));
    run.emulator.register_certificate(world::NEWCOMER_CLIENT_ID, &pem(&expired.certificate)).expect("registered");
    let (code, text) = refusal(&shown(of_newcomer(&expired)).await);
    assert_eq!(code, 700_027);
    assert!(text.contains("The key used is expired.") && text.contains("End=01/31/2024 00:00:00"), "{text}");
    assert_eq!(shown(of_newcomer(&proof)).await.status, 200, "the other one stays good");

    let body = json!({"client_id": world::NEWCOMER_CLIENT_ID});
    assert_eq!(send(run.control("DELETE", "/certificates").body(body.to_string())).await.status, 204);
    assert_eq!(refusal(&shown(of_newcomer(&proof)).await).0, 700_027);
    for (body, words) in [
        (json!({"client_id": world::NEWCOMER_CLIENT_ID}), "pem"),
        (json!({"client_id": world::NEWCOMER_CLIENT_ID, "pem": "x"}), "BEGIN CERTIFICATE"),
        (json!({"client_id": "x", "pem": pem(&proof.certificate)}), "no app"),
    ] {
        let answer = send(run.control("PUT", "/certificates").body(body.to_string())).await;
        assert!(answer.status == 400 && answer.text.contains(words), "{body}: {answer:?}");
    }
    let error = run.emulator.register_certificate(world::TENANT_ID, "").expect_err("no app");
    assert!(matches!(error, CertificateError::UnknownApp { .. }));
}

#[tokio::test]
async fn a_trusted_subject_signs_in_with_any_key_and_a_chain() {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Contoso CA");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let root = authority.self_signed(&key).expect("a certificate");
    let issuer = Issuer::new(authority, key);
    let mut config = Config::default();
    config.apps[0].trusted_subjects.push(TrustedSubject { name: "ci.contoso.example".into(), authority: root.pem() });
    let run = start_with(config).await;

    let proof = Proof::of(&run);
    let params = CertificateParams::new(vec!["ci.contoso.example".to_owned()]).expect("a name");
    let leaf = params.signed_by(&proof.pair(), &issuer).expect("a certificate").der().to_vec();
    let chain = [STANDARD.encode(&leaf), STANDARD.encode(root.der())];
    let header = json!({"alg": "RS256", "x5t": sha1(&leaf), "x5c": chain});
    let answer = show(&run, world::APP_CLIENT_ID, &proof.sign(&header, &Proof::claims())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let bare = json!({"alg": "RS256", "x5t": sha1(&leaf)});
    let (code, text) = refusal(&show(&run, world::APP_CLIENT_ID, &proof.sign(&bare, &Proof::claims())).await);
    assert!(code == 700_027 && text.contains("x5c"), "{text}");
    let other = json!({"alg": "RS256", "x5t": sha1(&leaf), "x5c": [STANDARD.encode(proof.certified("ci.contoso.example", |_| {}).certificate)]});
    assert_eq!(refusal(&show(&run, world::APP_CLIENT_ID, &proof.sign(&other, &Proof::claims())).await).0, 700_027);
}

#[tokio::test]
async fn a_configuration_names_certificates_by_text_and_by_file() {
    let run = start().await;
    let proof = Proof::of(&run);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("certificate.pem");
    std::fs::write(&file, pem(&proof.certified("file", |_| {}).certificate)).expect("written");
    let mut config = Config::default();
    config.apps[1].certificates = vec![
        AppCertificate { pem: Some(pem(&proof.certificate)), file: None },
        AppCertificate { pem: None, file: Some(file) },
    ];
    let text = config.to_toml().expect("written");
    start_with(Config::from_toml(&text).expect("valid")).await;
    for (entry, words) in [
        (AppCertificate::default(), "either `pem` or `file`"),
        (AppCertificate { pem: Some("x".into()), file: None }, "BEGIN CERTIFICATE"),
        (AppCertificate { pem: None, file: Some("/nonexistent/c.pem".into()) }, "cannot read the certificate"),
    ] {
        config.apps[1].certificates = vec![entry];
        let text = config.to_toml().expect("written");
        let message = Config::from_toml(&text).expect_err("not valid").to_string();
        assert!(message.contains(words), "{message}");
    }
}
