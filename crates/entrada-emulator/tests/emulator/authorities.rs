//! Authorities beside the well-known hosts: regions, AD FS, and names of one's own.

use crate::app_proof::{ASSERTION_TYPE, Proof, refusal, sha1};
use crate::support::{Answer, Run, claims, header, send, start, start_with};
use entrada_emulator::{Config, world};
use serde_json::json;

const REGION: &str = "https://westeurope.login.microsoft.com";

async fn post(run: &Run, host: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    send(run.post_to(host, path, fields)).await
}

fn of_orders() -> [(&'static str, &'static str); 4] {
    [
        ("grant_type", "client_credentials"),
        ("client_id", world::APP_CLIENT_ID),
        ("client_secret", world::APP_SECRET),
        ("scope", "https://vault.azure.net/.default"),
    ]
}

#[tokio::test]
async fn a_region_serves_apps_that_may_ask_it() {
    let run = start().await;
    let url = format!("{REGION}/{}/v2.0/.well-known/openid-configuration", world::TENANT_ID);
    let configuration = send(run.laptop.get(url)).await.json();
    let endpoint = format!("{REGION}/{}/oauth2/v2.0/token", world::TENANT_ID);
    assert_eq!(configuration["token_endpoint"], endpoint);
    assert_eq!(configuration["issuer"], world::TENANT_ISSUER, "the tokens are everybody's");
    let path = format!("{}/oauth2/v2.0/token", world::TENANT_ID);
    let answer = post(&run, REGION, &path, &of_orders()).await;
    let token = answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    assert_eq!(claims(&token)["iss"], format!("https://sts.windows.net/{}/", world::TENANT_ID));

    // A certificate's assertion may be for the region or for the global endpoint.
    let proof = Proof::of(&run);
    for audience in [endpoint.clone(), endpoint.replace(REGION, "https://login.microsoftonline.com")] {
        let mut claims = Proof::claims();
        claims["aud"] = audience.clone().into();
        let assertion = proof.sign(&proof.header(), &claims);
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", world::APP_CLIENT_ID),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
            ("scope", "https://vault.azure.net/.default"),
        ];
        assert_eq!(post(&run, REGION, &path, &fields).await.status, 200, "{audience}");
    }
    let government = "https://usgovvirginia.login.microsoftonline.us";
    let mut fields = of_orders();
    fields[3].1 = "https://vault.usgovcloudapi.net/.default";
    let path = format!("{}/oauth2/v2.0/token", world::US_TENANT_ID);
    assert_eq!(post(&run, government, &path, &fields).await.status, 200);
}

#[tokio::test]
async fn a_region_refuses_all_others_as_the_real_one_does() {
    let run = start().await;
    let path = format!("{}/oauth2/v2.0/token", world::TENANT_ID);
    let mut fields = of_orders();
    (fields[1].1, fields[2].1) = (world::NEWCOMER_CLIENT_ID, world::NEWCOMER_SECRET);
    assert_eq!(refusal(&post(&run, REGION, &path, &fields).await).0, 100_007);
    for grant in ["authorization_code", "refresh_token", "password", "urn:ietf:params:oauth:grant-type:jwt-bearer"] {
        let mut fields = of_orders();
        fields[0].1 = grant;
        let answer = post(&run, REGION, &path, &fields).await;
        let (code, text) = refusal(&answer);
        assert!(code == 100_007 && text.contains("regional"), "{grant}: {text}");
    }
    let page = format!("{REGION}/{}/oauth2/v2.0/authorize?client_id=x", world::TENANT_ID);
    assert_eq!(refusal(&send(run.laptop.get(page)).await).0, 100_007);
    let wrong = of_orders().map(|(name, value)| (name, if name == "client_secret" { "guess" } else { value }));
    assert_eq!(refusal(&post(&run, REGION, &path, &wrong).await).0, 7_000_215);
}

#[tokio::test]
async fn a_machine_says_where_it_is() {
    let run = start().await;
    let ask = |path: &str| {
        let url = format!("http://169.254.169.254/metadata/instance{path}");
        let request = run.machine.get(url).header("metadata", "true");
        async { send(request).await }
    };
    let compute = ask("/compute?api-version=2021-02-01").await.json();
    assert_eq!(compute["location"], "westeurope");
    let location = ask("/compute/location?api-version=2021-02-01&format=text").await;
    assert_eq!((location.status, location.text.as_str()), (200, "westeurope"));
    assert!(location.header("content-type").starts_with("text/plain"));
    assert!(ask("/compute?api-version=2021-02-01&format=text").await.text.lines().any(|line| line == "location"));
    assert_eq!(ask("/compute/location?api-version=2021-02-01").await.status, 400, "a leaf is no JSON");
    assert_eq!(ask("/compute/nothing?api-version=2021-02-01").await.status, 404);
    assert_eq!(ask("?api-version=2021-02-01").await.json()["compute"], compute);
}

async fn discover(run: &Run, host: &str, endpoint: &str, version: &str) -> Answer {
    let url = format!("{host}/common/discovery/instance?api-version={version}&authorization_endpoint={endpoint}");
    send(run.laptop.get(url)).await
}

#[tokio::test]
async fn instance_discovery_vouches_for_what_is_entras() {
    let run = start().await;
    let login = "https://login.microsoftonline.com";
    for host in [
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.chinacloudapi.cn",
        "westeurope.login.microsoft.com",
        "login.sovcloud-identity.fr",
        "login.sovcloud-identity.de",
    ] {
        let endpoint = format!("https://{host}/{}/oauth2/v2.0/authorize", world::TENANT_ID);
        let body = discover(&run, login, &endpoint, "1.1").await.json();
        let expected = format!("https://{host}/{}/v2.0/.well-known/openid-configuration", world::TENANT_ID);
        assert_eq!(body["tenant_discovery_endpoint"], expected);
        assert_eq!(body["api-version"], "1.1");
        let aliases: Vec<&str> = body["metadata"]
            .as_array()
            .expect("metadata")
            .iter()
            .flat_map(|entry| entry["aliases"].as_array().expect("aliases"))
            .filter_map(|alias| alias.as_str())
            .collect();
        assert!(aliases.contains(&"sts.windows.net") && aliases.contains(&"login.sovcloud-identity.de"));
    }
    let body = discover(&run, login, "https://login.microsoftonline.com/common/oauth2/authorize", "1.0").await.json();
    assert!(body.get("metadata").is_none(), "{body}");

    let endpoint = format!("{}/{}/oauth2/v2.0/authorize", world::STACK_AUTHORITY, world::TENANT_ID);
    for endpoint in [endpoint.as_str(), "https://login.evil.example/common", "http://login.microsoftonline.com/common"]
    {
        let answer = discover(&run, login, endpoint, "1.1").await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &"invalid_instance".into()), "{endpoint}");
        assert_eq!(refusal(&answer).0, 50_049);
    }
    let text = "[[authorities]]\nurl = \"https://login.partner.example:8443\"\nvouched_for = true\n";
    let run = start_with(Config::from_toml(text).expect("valid")).await;
    let body = discover(&run, login, "https://login.partner.example:8443/t/oauth2/v2.0/authorize", "1.1").await.json();
    let expected = "https://login.partner.example:8443/t/v2.0/.well-known/openid-configuration";
    assert_eq!(body["tenant_discovery_endpoint"], expected);
    let other_port = discover(&run, login, "https://login.partner.example/t/oauth2/v2.0/authorize", "1.1").await;
    assert_eq!(refusal(&other_port).0, 50_049);
}

#[tokio::test]
async fn an_authority_of_ones_own_has_a_port_and_a_path() {
    let run = start().await;
    let base = format!("{}/{}", world::STACK_AUTHORITY, world::TENANT_ID);
    let configuration = send(run.laptop.get(format!("{base}/v2.0/.well-known/openid-configuration"))).await.json();
    assert_eq!(configuration["token_endpoint"], format!("{base}/oauth2/v2.0/token"));
    let path = format!("{}/oauth2/v2.0/token", world::TENANT_ID);
    assert_eq!(post(&run, world::STACK_AUTHORITY, &path, &of_orders()).await.status, 200);
    let proof = Proof::of(&run);
    let mut claims = Proof::claims();
    claims["aud"] = configuration["token_endpoint"].clone();
    let assertion = proof.sign(&proof.header(), &claims);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", world::APP_CLIENT_ID),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &assertion),
        ("scope", "https://vault.azure.net/.default"),
    ];
    assert_eq!(post(&run, world::STACK_AUTHORITY, &path, &fields).await.status, 200);
    // MSAL leaves the path out.
    let origin = world::STACK_AUTHORITY.trim_end_matches("/sts");
    assert_eq!(post(&run, origin, &path, &of_orders()).await.status, 200);
    // Elsewhere the assertion is for somebody else, and on another port nobody answers.
    assert_eq!(refusal(&post(&run, "https://login.microsoftonline.com", &path, &fields).await).0, 700_023);
    assert!(run.laptop.get("https://login.stack.contoso.example/").send().await.is_err());
    let last = run.emulator.journal().entries().pop().expect("an entry");
    assert!(last.note.expect("a note").contains("port 3001"));
}

#[tokio::test]
async fn ad_fs_knows_apps_by_secret_and_by_certificate() {
    let run = start().await;
    let base = world::AD_FS_AUTHORITY;
    let configuration = send(run.laptop.get(format!("{base}/.well-known/openid-configuration"))).await.json();
    assert_eq!(configuration["token_endpoint"], format!("{base}/oauth2/token/"));
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", world::APP_CLIENT_ID),
        ("client_secret", world::APP_SECRET),
        ("scope", "https://management.azure.com/.default"),
    ];
    let body = post(&run, base, "oauth2/token", &fields).await.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&"bearer".into(), &3_600.into()));
    let token = body["access_token"].as_str().expect("a token");
    let shown = claims(token);
    assert_eq!(shown["aud"], "https://management.azure.com");
    assert_eq!(shown["iss"], "http://adfs.contoso.example/adfs/services/trust");
    assert_eq!((&shown["iss"], &shown["appid"]), (&configuration["access_token_issuer"], &world::APP_CLIENT_ID.into()));
    let keys = send(run.laptop.get(configuration["jwks_uri"].as_str().expect("a URL"))).await.json();
    assert_eq!(keys["keys"][0]["kid"], header(token)["kid"]);

    let proof = Proof::of(&run);
    let signed = |algorithm: &str, audience: &str| {
        let mut claims = Proof::claims();
        claims["aud"] = audience.into();
        proof.sign(&json!({"alg": algorithm, "x5t": sha1(&proof.certificate)}), &claims)
    };
    let endpoint = format!("{base}/oauth2/token/");
    for (assertion, status, reason) in [
        (signed("RS256", &endpoint), 200, ""),
        (signed("RS256", endpoint.trim_end_matches('/')), 200, ""),
        (signed("PS256", &endpoint), 400, "only RS256"),
        (signed("RS256", "https://login.microsoftonline.com/common"), 400, "audience"),
    ] {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", world::APP_CLIENT_ID),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
            ("resource", "https://management.azure.com/"),
        ];
        let answer = post(&run, base, "oauth2/token/", &fields).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status == 400 {
            assert_eq!(answer.json()["error"], "invalid_client");
            let last = run.emulator.journal().entries().pop().expect("an entry");
            assert!(last.note.expect("a note").contains(reason), "AD FS itself does not say it: {answer:?}");
        }
    }
}

#[tokio::test]
async fn ad_fs_refuses_in_its_own_words() {
    let run = start().await;
    let good = [
        ("grant_type", "client_credentials"),
        ("client_id", world::APP_CLIENT_ID),
        ("client_secret", world::APP_SECRET),
        ("resource", "https://management.azure.com/"),
    ];
    for (name, value, error, words) in [
        ("client_secret", "guess", "invalid_client", "MSIS9622"),
        ("client_secret", world::APP_EXPIRED_SECRET, "invalid_client", "MSIS9622"),
        ("client_id", "c1000000-0000-4000-8000-000000000099", "invalid_client", "MSIS9607"),
        ("resource", "https://nothing.example", "invalid_resource", "MSIS9602"),
        ("grant_type", "implicit", "unsupported_grant_type", "MSIS9611"),
    ] {
        let fields = good.map(|(other, given)| (other, if other == name { value } else { given }));
        let answer = post(&run, world::AD_FS_AUTHORITY, "oauth2/token", &fields).await;
        let body = answer.json();
        assert_eq!((answer.status, &body["error"]), (400, &error.into()), "{body}");
        assert!(body["error_description"].as_str().expect("a text").starts_with(words), "{body}");
        assert!(body.get("error_codes").is_none(), "which Entra alone has");
    }
    for path in ["oauth2/v2.0/token", "common/oauth2/token"] {
        assert_eq!(post(&run, world::AD_FS_AUTHORITY, path, &good).await.status, 404, "{path}");
    }
    let journal = serde_json::to_string(&run.emulator.journal().entries()).expect("JSON");
    assert!(!journal.contains(world::APP_SECRET));
}
