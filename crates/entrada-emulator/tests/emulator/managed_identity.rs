//! The metadata service and the App Service endpoint.

use crate::support::{Answer, Run, claims, client, send, start, start_with};
use entrada_emulator::{Config, FaultRule, Host, world};

const PATH: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net";

async fn imds(run: &Run, target: &str) -> Answer {
    send(run.direct.get(format!("{}{target}", run.emulator.imds_url())).header("Metadata", "true")).await
}

async fn app_service(run: &Run, query: &str, header: Option<&str>) -> Answer {
    let mut request = run.direct.get(format!("{}?{query}", run.emulator.identity_endpoint()));
    if let Some(header) = header {
        request = request.header("X-IDENTITY-HEADER", header);
    }
    send(request).await
}

fn identity_header(run: &Run) -> String {
    let environment = run.emulator.environment(Host::AppService);
    environment.into_iter().find(|(name, _)| name == "IDENTITY_HEADER").expect("set").1
}

#[tokio::test]
async fn a_machine_answers_in_texts_on_both_addresses() {
    let run = start().await;
    let through_gateway = run.machine.get(format!("http://169.254.169.254{PATH}")).header("Metadata", "true");
    for answer in
        [imds(&run, PATH).await, imds(&run, &PATH.replace("token?", "token/?")).await, send(through_gateway).await]
    {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.header("server").starts_with("IMDS/"));
        let body = answer.json();
        assert_eq!((&body["expires_in"], &body["token_type"]), (&"86400".into(), &"Bearer".into()));
        assert!(body["expires_on"].is_string() && body["not_before"].is_string());
        assert_eq!(body["client_id"], world::VIRTUAL_MACHINE_CLIENT_ID);
        let claims = claims(body["access_token"].as_str().expect("token"));
        assert_eq!(claims["oid"], world::VIRTUAL_MACHINE_OBJECT_ID);
        assert!(claims["xms_mirid"].as_str().expect("resource").ends_with("virtualMachines/build-vm"));
    }
}

#[tokio::test]
async fn a_laptop_does_not_reach_the_metadata_service() {
    let run = start().await;
    let result = run.laptop.get(format!("http://169.254.169.254{PATH}")).header("Metadata", "true").send().await;
    assert!(result.is_err());
    let entry = run.emulator.journal().entries().pop().expect("written down");
    assert!(entry.status == 0 && entry.note.expect("note").contains("unreachable"));
}

#[tokio::test]
async fn a_user_assigned_identity_is_named_in_three_ways() {
    let run = start().await;
    let header = identity_header(&run);
    let resource_id = world::USER_ASSIGNED_RESOURCE_ID;
    for (imds_name, app_name, value) in [
        ("client_id", "client_id", world::USER_ASSIGNED_CLIENT_ID),
        ("object_id", "principal_id", world::USER_ASSIGNED_OBJECT_ID),
        ("msi_res_id", "mi_res_id", resource_id),
    ] {
        let answer = imds(&run, &format!("{PATH}&{imds_name}={value}")).await.json();
        assert_eq!(answer["client_id"], world::USER_ASSIGNED_CLIENT_ID, "{imds_name}");
        let query = format!("api-version=2019-08-01&resource=https://vault.azure.net&{app_name}={value}");
        let answer = app_service(&run, &query, Some(&header)).await.json();
        let claims = claims(answer["access_token"].as_str().expect("token"));
        assert_eq!(
            (&claims["oid"], &claims["xms_mirid"]),
            (&world::USER_ASSIGNED_OBJECT_ID.into(), &resource_id.into())
        );
    }
}

#[tokio::test]
async fn the_metadata_service_refuses_in_its_own_words() {
    let run = start().await;
    let url = format!("{}{PATH}", run.emulator.imds_url());
    let bare = send(run.direct.get(&url)).await;
    assert_eq!((bare.status, bare.json()["error"].clone()), (400, "bad_request_102".into()));
    let forwarded = send(run.direct.get(&url).header("Metadata", "true").header("X-Forwarded-For", "10.0.0.1")).await;
    assert_eq!(forwarded.status, 400);
    let posted = send(run.direct.post(&url).header("Metadata", "true")).await;
    assert_eq!(posted.status, 405);
    for (target, status, error, words) in [
        (PATH.replace("api-version=2018-02-01&", ""), 400, "Bad request. api-version is invalid", ""),
        (PATH.replace("2018-02-01", "2017-01-01"), 400, "Bad request. api-version is invalid", ""),
        (PATH.replace("&resource=https://vault.azure.net", ""), 400, "invalid_request", "resource"),
        (format!("{PATH}&resource=https://vault.azure.net"), 400, "invalid_request", "Duplicate"),
        (format!("{PATH}&client_id={}", world::APP_CLIENT_ID), 400, "invalid_request", "Identity not found"),
        (format!("{PATH}&client_id=a&object_id=b"), 400, "invalid_request", "Only one"),
        (PATH.replace("vault.azure.net", "nothing.example"), 400, "invalid_resource", "AADSTS500011"),
        ("/metadata/other".to_owned(), 404, "Not found", ""),
    ] {
        let answer = imds(&run, &target).await;
        let body = answer.json();
        assert_eq!(answer.status, status, "{target}");
        assert!(body["error"].as_str().expect("error").starts_with(error), "{target}: {body}");
        assert!(body["error_description"].as_str().unwrap_or_default().contains(words), "{target}: {body}");
    }
}

#[tokio::test]
async fn several_user_assigned_identities_must_be_told_apart() {
    let config = Config::from_toml("[inside]\nvirtual_machine = \"worker-vm\"\n").expect("valid");
    let run = start_with(config).await;
    let answer = imds(&run, PATH).await;
    assert!(
        answer.json()["error_description"]
            .as_str()
            .expect("text")
            .starts_with("Multiple user assigned identities exist")
    );
    let one = imds(&run, &format!("{PATH}&client_id={}", world::SECOND_USER_ASSIGNED_CLIENT_ID)).await;
    assert_eq!(one.status, 200);
}

#[tokio::test]
async fn a_machine_knows_its_own_name() {
    let run = start().await;
    let answer = imds(&run, "/metadata/instance?api-version=2021-02-01").await.json();
    assert_eq!(answer["compute"]["name"], world::VIRTUAL_MACHINE);
    assert_eq!(answer["compute"]["subscriptionId"], world::SUBSCRIPTION_ID);
}

#[tokio::test]
async fn app_service_wants_its_header_and_keeps_earlier_values() {
    let run = start().await;
    let query = "api-version=2019-08-01&resource=https://vault.azure.net";
    assert_eq!(app_service(&run, query, None).await.status, 401);
    let wrong = app_service(&run, query, Some("guess")).await;
    assert_eq!((wrong.status, wrong.json()["statusCode"].clone()), (401, 401.into()));
    let first = identity_header(&run);
    let second = run.emulator.rotate_identity_header();
    assert_eq!(identity_header(&run), second);
    for header in [&first, &second] {
        let answer = app_service(&run, query, Some(header)).await;
        let body = answer.json();
        assert_eq!((answer.status, &body["client_id"]), (200, &world::WEB_APP_CLIENT_ID.into()));
        assert!(body["expires_on"].is_string() && body.get("expires_in").is_none());
    }
}

#[tokio::test]
async fn app_service_refuses_in_its_own_words() {
    let run = start().await;
    let header = identity_header(&run);
    let base = "api-version=2019-08-01&resource=https://vault.azure.net";
    let unattached = format!("{base}&client_id={}", world::SECOND_USER_ASSIGNED_CLIENT_ID);
    for (query, words) in [
        (unattached.as_str(), "No User Assigned or Delegated Managed Identity found"),
        (&format!("{base}&client_id=a&mi_res_id=b"), "Only one"),
        (&format!("{base}&client_id=a&client_id=a"), "twice"),
        ("resource=https://vault.azure.net", "api-version"),
        ("api-version=2019-08-01", "resource"),
        ("api-version=2019-08-01&resource=https://nothing.example", "AADSTS500011"),
    ] {
        let answer = app_service(&run, query, Some(&header)).await;
        let body = answer.json();
        assert_eq!((answer.status, &body["statusCode"]), (400, &400.into()), "{query}");
        assert!(body["message"].as_str().expect("message").contains(words), "{query}: {body}");
        assert!(body["correlationId"].is_string());
    }
}

#[tokio::test]
async fn app_service_ignores_parameters_it_does_not_know() {
    let run = start().await;
    let query = format!(
        "api-version=2019-08-01&resource=https://vault.azure.net&resource_id={}&clientid=x",
        world::USER_ASSIGNED_RESOURCE_ID
    );
    let answer = app_service(&run, &query, Some(&identity_header(&run))).await.json();
    assert_eq!(answer["client_id"], world::WEB_APP_CLIENT_ID, "the system-assigned identity");
}

fn hang() -> FaultRule {
    serde_json::from_value(serde_json::json!({"match": {"headers": {"metadata": "true"}}, "hang": true}))
        .expect("a rule")
}

#[tokio::test]
async fn the_metadata_service_takes_five_requests_at_a_time() {
    let run = start().await;
    run.emulator.faults().add(hang()).expect("valid");
    let mut journal = run.emulator.journal().follow();
    let url = format!("{}{PATH}", run.emulator.imds_url());
    let ask = || run.direct.get(&url).header("Metadata", "true");
    let waiting: Vec<_> = (0..5).map(|_| tokio::spawn(ask().send())).collect();
    for _ in 0..5 {
        journal.recv().await.expect("written down");
    }
    let refused = send(ask()).await;
    assert_eq!((refused.status, refused.json()["error"].clone()), (429, "invalid_request".into()));
    assert_eq!(refused.json()["error_description"], "Temporarily throttled, too many requests");
    let note = journal.recv().await.expect("written down").note.expect("a note");
    assert_eq!(note, "throttled: more than 5 requests at a time");
    assert_eq!(send(run.direct.get(&url)).await.status, 400, "a probe does not count");

    // Clients that have gone away leave their places.
    run.emulator.faults().clear();
    for one in &waiting {
        one.abort();
    }
    while send(ask()).await.status == 429 {}
}

#[tokio::test]
async fn the_metadata_service_takes_so_many_requests_a_second() {
    let limits = "[limits]\nimds_per_second = 3\n";
    let run = start_with(Config::from_toml(limits).expect("valid")).await;
    while imds(&run, PATH).await.status != 429 {}
    let notes: Vec<_> = run.emulator.journal().entries().into_iter().filter_map(|entry| entry.note).collect();
    assert_eq!(notes[0], "throttled: more than 3 requests in a second");

    let run = start_with(Config::from_toml("[limits]\nimds_per_second = 0\n").expect("valid")).await;
    for _ in 0..25 {
        assert_eq!(imds(&run, PATH).await.status, 200);
    }
}

#[tokio::test]
async fn a_container_group_has_to_wait_for_its_metadata_service() {
    let run = start_with(Config::from_toml("[limits]\ncontainer_start_ms = 3600000\n").expect("valid")).await;
    let through_gateway = client(&run.emulator, Host::ContainerInstance);
    let ask = |client: &reqwest::Client, base: &str| client.get(format!("{base}{PATH}")).header("Metadata", "true");
    let own = run.emulator.endpoint_of(Host::ContainerInstance).expect("an endpoint");
    assert!(ask(&run.direct, &own).send().await.expect_err("not there").is_connect());
    assert!(ask(&through_gateway, "http://169.254.169.254").send().await.is_err());

    let run = start_with(Config::from_toml("[limits]\ncontainer_start_ms = 0\n").expect("valid")).await;
    let through_gateway = client(&run.emulator, Host::ContainerInstance);
    let own = run.emulator.endpoint_of(Host::ContainerInstance).expect("an endpoint");
    for request in [ask(&run.direct, &own), ask(&through_gateway, "http://169.254.169.254")] {
        let answer = send(request).await.json();
        assert_eq!(answer["client_id"], world::CONTAINER_GROUP_CLIENT_ID);
    }
    let instance =
        send(run.direct.get(format!("{own}/metadata/instance?api-version=2021-02-01")).header("Metadata", "true"));
    assert_eq!(instance.await.status, 404, "tokens and no more");
}
