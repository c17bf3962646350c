//! The protocol of 2017: App Service as it was, and Azure Machine Learning as it is.

use crate::support::{Answer, Run, claims, send, start, variable};
use entrada_emulator::{Host, world};

const GOOD: &str = "api-version=2017-09-01&resource=https://vault.azure.net";

async fn ask(run: &Run, host: Host, query: &str) -> Answer {
    let endpoint = variable(&run.emulator, host, "MSI_ENDPOINT");
    let secret = variable(&run.emulator, host, "MSI_SECRET");
    send(run.direct.get(format!("{endpoint}?{query}")).header("secret", secret)).await
}

#[tokio::test]
async fn the_end_of_a_token_is_written_in_each_hosts_own_way() {
    let run = start().await;
    let body = ask(&run, Host::AppServiceLegacy, GOOD).await.json();
    let date = body["expires_on"].as_str().expect("a date");
    assert!(date.ends_with(" +00:00") && date.as_bytes()[2] == b'/' && date.len() == 26, "{date}");
    assert!(body.get("client_id").is_none() && body.get("expires_in").is_none());
    assert_eq!((&body["token_type"], &body["resource"]), (&"Bearer".into(), &"https://vault.azure.net".into()));
    let body = ask(&run, Host::AzureMl, GOOD).await.json();
    let token = claims(body["access_token"].as_str().expect("token"));
    assert_eq!(body["expires_on"], token["exp"], "an integer");
}

#[tokio::test]
async fn a_user_assigned_identity_is_named_by_clientid_alone() {
    let run = start().await;
    for host in [Host::AppServiceLegacy, Host::AzureMl] {
        let oid = |answer: Answer| claims(answer.json()["access_token"].as_str().expect("token"))["oid"].clone();
        let named = ask(&run, host, &format!("{GOOD}&clientid={}", world::USER_ASSIGNED_CLIENT_ID)).await;
        assert_eq!(oid(named), world::USER_ASSIGNED_OBJECT_ID);
        let ignored = ask(&run, host, &format!("{GOOD}&client_id={}", world::USER_ASSIGNED_CLIENT_ID)).await;
        assert_ne!(oid(ignored), world::USER_ASSIGNED_OBJECT_ID);
        let unattached = ask(&run, host, &format!("{GOOD}&clientid={}", world::SECOND_USER_ASSIGNED_CLIENT_ID)).await;
        assert_eq!(unattached.json()["Message"], "No MSI found for specified ClientId/ResourceId.");
    }
    let default = variable(&run.emulator, Host::AzureMl, "DEFAULT_IDENTITY_CLIENT_ID");
    assert_eq!(default, world::USER_ASSIGNED_CLIENT_ID);
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    let run = start().await;
    for host in [Host::AppServiceLegacy, Host::AzureMl] {
        let endpoint = variable(&run.emulator, host, "MSI_ENDPOINT");
        assert_eq!(send(run.direct.get(format!("{endpoint}?{GOOD}"))).await.status, 401);
        let wrong = send(run.direct.get(format!("{endpoint}?{GOOD}")).header("secret", "guess")).await;
        assert_eq!((wrong.status, wrong.json()["StatusCode"].clone()), (401, 401.into()));
        for (query, words) in [
            ("resource=https://vault.azure.net", "2017-09-01"),
            ("api-version=2019-08-01&resource=https://vault.azure.net", "2017-09-01"),
            ("api-version=2017-09-01", "resource"),
            (&format!("{GOOD}&clientid=a&clientid=b"), "twice"),
            ("api-version=2017-09-01&resource=https://nothing.example", "AADSTS500011"),
        ] {
            let answer = ask(&run, host, query).await;
            let body = answer.json();
            assert_eq!(answer.status, 400, "{query}");
            assert!(body["Message"].as_str().expect("message").contains(words), "{query}: {body}");
            assert!(body["CorrelationId"].is_string());
        }
    }
}
