//! Entra: discovery, token endpoints, refusals.

use crate::support::{Run, claims, form, header, send, start};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use entrada_emulator::world;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

const SCOPE: (&str, &str) = ("scope", "https://vault.azure.net/.default");
const GRANT: (&str, &str) = ("grant_type", "client_credentials");
const ID: (&str, &str) = ("client_id", world::APP_CLIENT_ID);
const SECRET: (&str, &str) = ("client_secret", world::APP_SECRET);

fn v2(tenant: &str) -> String {
    format!("{tenant}/oauth2/v2.0/token")
}

/// Posts a form that is refused, and gives status, `error` and code.
async fn refused(run: &Run, path: &str, fields: &[(&str, &str)]) -> (u16, String, u64) {
    let answer = run.post(path, fields).await;
    let body = answer.json();
    let code = body["error_codes"][0].as_u64().unwrap_or_else(|| panic!("{answer:?}"));
    let description = body["error_description"].as_str().expect("description");
    assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
    for id in ["trace_id", "correlation_id", "timestamp"] {
        let value = body[id].as_str().expect(id);
        assert!(description.contains(value), "{id} in {description}");
    }
    assert!(body["error_uri"].as_str().expect("uri").ends_with(&format!("code={code}")));
    assert_eq!(answer.header("x-ms-request-id"), body["trace_id"].as_str().expect("trace"));
    assert_eq!(answer.header("cache-control"), "no-store, no-cache");
    (answer.status, body["error"].as_str().expect("error").to_owned(), code)
}

#[tokio::test]
async fn a_v2_answer_has_a_v1_token_for_azures_own_services() {
    let run = start().await;
    let request = run
        .post_to("https://login.microsoftonline.com", &v2(world::TENANT_DOMAIN), &[GRANT, ID, SECRET, SCOPE])
        .header("client-request-id", "6f1c1a52-98a3-4f5c-9d3e-2f1b7f6f0001")
        .header("return-client-request-id", "true");
    let answer = send(request).await;
    assert_eq!(answer.header("client-request-id"), "6f1c1a52-98a3-4f5c-9d3e-2f1b7f6f0001");
    let body = answer.json();
    assert_eq!((answer.status, &body["token_type"], &body["expires_in"]), (200, &"Bearer".into(), &3599.into()));
    let token = body["access_token"].as_str().expect("token");
    let claims = claims(token);
    for (name, value) in [
        ("aud", "https://vault.azure.net"),
        ("iss", &format!("https://sts.windows.net/{}/", world::TENANT_ID)),
        ("appid", world::APP_CLIENT_ID),
        ("appidacr", "1"),
        ("idtyp", "app"),
        ("oid", world::APP_OBJECT_ID),
        ("sub", world::APP_OBJECT_ID),
        ("tid", world::TENANT_ID),
        ("ver", "1.0"),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(header(token)["alg"], "RS256");
}

#[tokio::test]
async fn the_published_keys_verify_a_token() {
    let run = start().await;
    let token = run.app_token("https://vault.azure.net").await;
    let url = format!("https://login.microsoftonline.com/{}/v2.0/.well-known/openid-configuration", world::TENANT_ID);
    let configuration = send(run.laptop.get(url)).await.json();
    assert_eq!(configuration["issuer"], format!("https://login.microsoftonline.com/{}/v2.0", world::TENANT_ID));
    let keys = send(run.laptop.get(configuration["jwks_uri"].as_str().expect("uri"))).await.json();
    let key = &keys["keys"][0];
    assert_eq!((&key["kid"], &key["x5t"]), (&header(&token)["kid"], &header(&token)["x5t"]));
    assert!(key.get("d").is_none(), "the private part stays private");
    let decode = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().expect(name)).expect(name);
    let (signed, signature) = token.rsplit_once('.').expect("a JWT");
    RsaPublicKeyComponents { n: decode("n"), e: decode("e") }
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).expect("signature"))
        .expect("verified");
    // The certificate of x5c holds the same key.
    let certificate = STANDARD.decode(key["x5c"][0].as_str().expect("x5c")).expect("x5c");
    let modulus = decode("n");
    assert!(certificate.windows(modulus.len()).any(|window| window == modulus));
}

#[tokio::test]
async fn v1_answers_in_texts() {
    let run = start().await;
    let resource = ("resource", "https://management.azure.com/");
    let answer = run.post(&format!("{}/oauth2/token", world::TENANT_ID), &[GRANT, ID, SECRET, resource]).await;
    let body = answer.json();
    assert_eq!((&body["expires_in"], &body["resource"]), (&"3599".into(), &"https://management.azure.com/".into()));
    assert_eq!(claims(body["access_token"].as_str().expect("token"))["aud"], "https://management.azure.com/");
    let (status, error, code) =
        refused(&run, &format!("{}/oauth2/token", world::TENANT_ID), &[GRANT, ID, SECRET]).await;
    assert_eq!((status, error.as_str(), code), (400, "invalid_request", 900_144));
}

#[tokio::test]
async fn an_api_of_ones_own_gets_v2_tokens_with_roles() {
    let run = start().await;
    let scope = format!("{}/.default", world::API_URI);
    let answer = run.post(&v2(world::TENANT_ID), &[GRANT, ID, SECRET, ("scope", &scope)]).await.json();
    let claims = claims(answer["access_token"].as_str().expect("token"));
    assert_eq!(claims["aud"], world::API_CLIENT_ID);
    assert_eq!(claims["iss"], format!("https://login.microsoftonline.com/{}/v2.0", world::TENANT_ID));
    assert_eq!((&claims["ver"], &claims["azp"]), (&"2.0".into(), &world::APP_CLIENT_ID.into()));
    assert_eq!(claims["roles"][0], "Orders.Read");
}

#[tokio::test]
async fn the_double_slash_of_the_azure_cli_keeps_its_audience() {
    let run = start().await;
    let scope = ("scope", "https://management.core.windows.net//.default");
    let answer = run.post(&v2(world::TENANT_ID), &[GRANT, ID, SECRET, scope]).await.json();
    let token = answer["access_token"].as_str().expect("token");
    assert_eq!(claims(token)["aud"], "https://management.core.windows.net/");
    let list = run.call("GET", "https://management.azure.com/subscriptions?api-version=2022-12-01", token);
    assert_eq!(send(list).await.status, 200);
}

#[tokio::test]
async fn a_client_may_prove_itself_by_http_basic() {
    let run = start().await;
    let basic = |secret: &str| {
        let pair = form(&[(world::APP_CLIENT_ID, secret)]).replace('=', ":");
        run.post_to("https://login.microsoftonline.com", &v2(world::TENANT_ID), &[GRANT, SCOPE])
            .header("authorization", format!("Basic {}", STANDARD.encode(pair)))
    };
    assert_eq!(send(basic(world::APP_SECRET)).await.status, 200);
    assert_eq!(send(basic("wrong")).await.json()["error_codes"][0], 7_000_215);
}

/// Path, form, and the status, `error` and code of the refusal.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], (u16, &'a str, u64));

#[tokio::test]
async fn every_refusal_has_its_code() {
    let run = start().await;
    let tenant = v2(world::TENANT_ID);
    let cases: &[Case<'_>] = &[
        (&v2("7e000000-0000-4000-8000-0000000000ff"), &[GRANT, ID, SECRET, SCOPE], (400, "invalid_request", 90_002)),
        (&v2("not%20a%20tenant"), &[GRANT, ID, SECRET, SCOPE], (400, "invalid_request", 900_023)),
        (&v2("common"), &[GRANT, ID, SECRET, SCOPE], (400, "invalid_request", 50_059)),
        (&tenant, &[GRANT, ("client_id", "nobody"), SECRET, SCOPE], (400, "unauthorized_client", 700_016)),
        (&v2(world::TENANT_ID), &[GRANT, ID, ("client_secret", "wrong"), SCOPE], (401, "invalid_client", 7_000_215)),
        (
            &tenant,
            &[GRANT, ID, ("client_secret", world::APP_EXPIRED_SECRET), SCOPE],
            (401, "invalid_client", 7_000_222),
        ),
        (&tenant, &[GRANT, ID, SCOPE], (401, "invalid_client", 7_000_216)),
        (&tenant, &[ID, SECRET, SCOPE], (400, "invalid_request", 900_144)),
        (&tenant, &[GRANT, SECRET, SCOPE], (400, "invalid_request", 900_144)),
        (&tenant, &[GRANT, ID, SECRET], (400, "invalid_request", 900_144)),
        (&tenant, &[GRANT, ID, SECRET, ("scope", "https://vault.azure.net")], (400, "invalid_scope", 1_002_012)),
        (&tenant, &[GRANT, ID, SECRET, ("scope", "a/.default b/.default")], (400, "invalid_scope", 70_011)),
        (
            &tenant,
            &[GRANT, ID, SECRET, ("scope", "https://nothing.example/.default")],
            (400, "invalid_resource", 500_011),
        ),
        (&tenant, &[("grant_type", "magic"), ID, SECRET, SCOPE], (400, "unsupported_grant_type", 70_003)),
        (&tenant, &[GRANT, GRANT, ID, SECRET, SCOPE], (400, "invalid_request", 9_000_411)),
    ];
    for (path, fields, (status, error, code)) in cases {
        assert_eq!(refused(&run, path, fields).await, (*status, (*error).to_owned(), *code), "{fields:?}");
    }
    let get = send(run.laptop.get(format!("https://login.microsoftonline.com/{tenant}"))).await;
    assert_eq!(get.json()["error_codes"][0], 900_561);
    let other = run.post(&tenant, &[("grant_type", "urn:ietf:params:oauth:grant-type:saml2-bearer"), ID]).await;
    assert_eq!(other.status, 501, "honest about what it does not do");
}

#[tokio::test]
async fn instance_discovery_knows_the_real_aliases() {
    let run = start().await;
    let ask = |endpoint: &str| {
        let query = form(&[("api-version", "1.1"), ("authorization_endpoint", endpoint)]);
        send(run.laptop.get(format!("https://login.microsoftonline.com/common/discovery/instance?{query}")))
    };
    let body = ask("https://login.microsoftonline.com/common/oauth2/v2.0/authorize").await.json();
    assert_eq!(
        body["tenant_discovery_endpoint"],
        "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration"
    );
    assert_eq!(body["metadata"][0]["preferred_cache"], "login.windows.net");
    assert!(body["metadata"][0]["aliases"].as_array().expect("aliases").contains(&"sts.windows.net".into()));
    let unknown = ask("https://login.example.com/common").await;
    assert_eq!((unknown.status, unknown.json()["error"].clone()), (400, "invalid_instance".into()));
}

#[tokio::test]
async fn a_tenant_lives_in_one_cloud() {
    let run = start().await;
    for (host, tenant, vault, resource) in [
        (
            "https://login.microsoftonline.us",
            world::US_TENANT_ID,
            world::US_VAULT_URL,
            "https://vault.usgovcloudapi.net",
        ),
        ("https://login.chinacloudapi.cn", world::CHINA_TENANT_ID, world::CHINA_VAULT_URL, "https://vault.azure.cn"),
        (
            "https://login.partner.microsoftonline.cn",
            world::CHINA_TENANT_DOMAIN,
            world::CHINA_VAULT_URL,
            "https://vault.azure.cn",
        ),
    ] {
        let scope = format!("{resource}/.default");
        let answer = send(run.post_to(host, &v2(tenant), &[GRANT, ID, SECRET, ("scope", &scope)])).await.json();
        let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}"));
        let secret = run.call("GET", &format!("{vault}/secrets/{}?api-version=7.6", world::SECRET_NAME), token);
        assert_eq!(send(secret).await.json()["value"], world::SECRET_VALUE);
        let elsewhere = run.post(&v2(tenant), &[GRANT, ID, SECRET, ("scope", &scope)]).await;
        assert_eq!(elsewhere.json()["error_codes"][0], 90_002);
    }
}
