//! Cloud Shell: the token of the user.

use crate::support::{Answer, Run, claims, form, send, start, variable};
use entrada_emulator::{Host, world};
use reqwest::RequestBuilder;

fn post(run: &Run, fields: &[(&str, &str)]) -> RequestBuilder {
    run.direct
        .post(variable(&run.emulator, Host::CloudShell, "MSI_ENDPOINT"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(fields))
}

async fn ask(run: &Run, fields: &[(&str, &str)]) -> Answer {
    send(post(run, fields).header("Metadata", "true")).await
}

#[tokio::test]
async fn the_token_is_the_users_and_good_for_what_the_user_may() {
    let run = start().await;
    let body = ask(&run, &[("resource", "https://management.azure.com/")]).await.json();
    assert!(body["expires_in"].is_string() && body["expires_on"].is_string());
    let token = body["access_token"].as_str().expect("token");
    let claims = claims(token);
    for (claim, value) in [
        ("oid", world::USER_OBJECT_ID),
        ("upn", world::USER_NAME),
        ("unique_name", world::USER_NAME),
        ("name", "ada"),
        ("scp", "user_impersonation"),
        ("appid", "b677c290-cf4b-4a8e-a60e-91ba650a4abe"),
        ("appidacr", "2"),
        ("ver", "1.0"),
    ] {
        assert_eq!(claims[claim], value, "{claim}");
    }
    assert!(claims.get("idtyp").is_none() && claims.get("xms_mirid").is_none());
    let listed =
        send(run.call("GET", "https://management.azure.com/subscriptions?api-version=2022-12-01", token)).await;
    assert_eq!(listed.json()["value"][0]["subscriptionId"], world::SUBSCRIPTION_ID);
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    let run = start().await;
    let good = ("resource", "https://vault.azure.net");
    let code = |answer: &Answer| answer.json()["error"]["code"].as_str().expect("a code").to_owned();
    let bare = send(post(&run, &[good])).await;
    assert_eq!((bare.status, code(&bare).as_str()), (400, "MissingMetadataHeader"));
    let endpoint = variable(&run.emulator, Host::CloudShell, "MSI_ENDPOINT");
    let got = send(run.direct.get(format!("{endpoint}?resource=x")).header("Metadata", "true")).await;
    assert_eq!(got.status, 405);
    for (fields, expected) in [
        (vec![], "BadRequest"),
        (vec![good, good], "BadRequest"),
        (vec![good, ("client_id", world::USER_ASSIGNED_CLIENT_ID)], "BadRequest"),
        (vec![good, ("mi_res_id", world::USER_ASSIGNED_RESOURCE_ID)], "BadRequest"),
        (vec![("resource", "https://nothing.example")], "AudienceNotSupported"),
    ] {
        let answer = ask(&run, &fields).await;
        assert_eq!((answer.status, code(&answer).as_str()), (400, expected), "{fields:?}");
    }
}
