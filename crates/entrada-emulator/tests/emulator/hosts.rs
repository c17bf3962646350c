//! What holds for every host: its variables, its place, its name in the journal.

use crate::support::{claims, form, send, start, variable};
use entrada_emulator::{Config, Host, Service, world};
use reqwest::RequestBuilder;
use std::net::TcpStream;

const VAULT: &str = "https://vault.azure.net";

/// A good request for a token on a host with an endpoint that answers at once.
fn good(run: &crate::support::Run, host: Host) -> RequestBuilder {
    let variable = |name: &str| variable(&run.emulator, host, name);
    match host {
        Host::AppService | Host::ContainerApp => run
            .direct
            .get(format!("{}?api-version=2019-08-01&resource={VAULT}", variable("IDENTITY_ENDPOINT")))
            .header("X-IDENTITY-HEADER", variable("IDENTITY_HEADER")),
        Host::AppServiceLegacy | Host::AzureMl => run
            .direct
            .get(format!("{}?api-version=2017-09-01&resource={VAULT}", variable("MSI_ENDPOINT")))
            .header("secret", variable("MSI_SECRET")),
        Host::ServiceFabric => run
            .careless
            .get(format!("{}?api-version=2019-07-01-preview&resource={VAULT}", variable("IDENTITY_ENDPOINT")))
            .header("Secret", variable("IDENTITY_HEADER")),
        Host::CloudShell => run
            .direct
            .post(variable("MSI_ENDPOINT"))
            .header("Metadata", "true")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(&[("resource", VAULT)])),
        Host::VirtualMachine => run
            .direct
            .get(format!(
                "{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={VAULT}",
                variable("AZURE_POD_IDENTITY_AUTHORITY_HOST")
            ))
            .header("Metadata", "true"),
        other => panic!("{other:?} has no such request"),
    }
}

#[tokio::test]
async fn each_host_gives_the_token_of_what_the_program_runs_in() {
    let run = start().await;
    for (host, service, client_id, mirid) in [
        (Host::AppService, Service::AppService, world::WEB_APP_CLIENT_ID, "Microsoft.Web/sites/orders-web"),
        (Host::AppServiceLegacy, Service::AppService, world::WEB_APP_CLIENT_ID, "Microsoft.Web/sites/orders-web"),
        (
            Host::ContainerApp,
            Service::AppService,
            world::CONTAINER_APP_CLIENT_ID,
            "Microsoft.App/containerApps/orders-api",
        ),
        (
            Host::ServiceFabric,
            Service::ServiceFabric,
            world::FABRIC_APPLICATION_CLIENT_ID,
            "Microsoft.ServiceFabric/managedClusters/orders-cluster/applications/orders-fabric",
        ),
        (
            Host::AzureMl,
            Service::AzureMl,
            world::ML_COMPUTE_CLIENT_ID,
            "Microsoft.MachineLearningServices/workspaces/orders-workspace/computes/orders-ml",
        ),
        (Host::VirtualMachine, Service::Imds, world::VIRTUAL_MACHINE_CLIENT_ID, "virtualMachines/build-vm"),
    ] {
        let answer = send(good(&run, host)).await;
        assert_eq!(answer.status, 200, "{host:?}: {answer:?}");
        let token = claims(answer.json()["access_token"].as_str().expect("token"));
        assert_eq!((&token["appid"], &token["idtyp"]), (&client_id.into(), &"app".into()), "{host:?}");
        assert!(token["xms_mirid"].as_str().expect("resource").ends_with(mirid), "{host:?}: {token}");
        let entry = run.emulator.journal().entries().pop().expect("written down");
        assert_eq!((entry.service, entry.grant.as_deref()), (service, Some("managed_identity")), "{host:?}");
    }
}

#[tokio::test]
async fn tokens_of_every_host_take_the_shape_a_fault_says() {
    let run = start().await;
    let rule = serde_json::json!({
        "match": {"service": "managed-identity"},
        "token": {"expires_in": 77, "types": "float", "set": {"extra": [1]}, "issue_for": world::NEWCOMER_OBJECT_ID},
    });
    run.emulator.faults().add(serde_json::from_value(rule).expect("a rule")).expect("valid");
    for host in [
        Host::AppService,
        Host::AppServiceLegacy,
        Host::ContainerApp,
        Host::ServiceFabric,
        Host::AzureMl,
        Host::CloudShell,
        Host::VirtualMachine,
    ] {
        let body = send(good(&run, host)).await.json();
        let token = claims(body["access_token"].as_str().expect("token"));
        assert_eq!(token["oid"], world::NEWCOMER_OBJECT_ID, "{host:?}");
        assert!(body["expires_on"].is_f64() && body["extra"][0] == 1, "{host:?}: {body}");
        assert_eq!(body["expires_on"].as_f64(), token["exp"].as_f64(), "{host:?}");
        if let Some(client_id) = body.get("client_id") {
            assert_eq!(client_id, world::NEWCOMER_CLIENT_ID, "{host:?}");
        }
    }
}

#[tokio::test]
async fn every_port_is_shut_by_a_rule_and_opens_again() {
    let run = start().await;
    let port = |host| {
        let url = url::Url::parse(&run.emulator.endpoint_of(host).expect("an endpoint")).expect("a URL");
        TcpStream::connect(("127.0.0.1", url.port().expect("a port")))
    };
    for (service, host) in [
        ("app-service", Host::AppService),
        ("app-service", Host::ContainerApp),
        ("service-fabric", Host::ServiceFabric),
        ("azure-arc", Host::AzureArc),
        ("azure-ml", Host::AzureMl),
        ("cloud-shell", Host::CloudShell),
        ("imds", Host::VirtualMachine),
        ("managed-identity", Host::VirtualMachine),
    ] {
        assert!(port(host).is_ok(), "{service}");
        let rule = serde_json::json!({"match": {"service": service}, "not_listening_ms": u64::MAX});
        run.emulator.faults().add(serde_json::from_value(rule).expect("a rule")).expect("valid");
        let error = port(host).expect_err("shut");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused, "{service}");
        assert_eq!(run.emulator.faults().rules().len(), 1);
        run.emulator.faults().clear();
        assert!(port(host).is_ok(), "{service}");
    }
}

#[tokio::test]
async fn a_port_opens_by_itself_when_its_time_is_over() {
    let rule = "[[faults]]\nmatch = { service = \"app-service\" }\nnot_listening_ms = 3600000\n";
    let run = crate::support::start_with(Config::from_toml(rule).expect("valid")).await;
    let error = good(&run, Host::AppService).send().await.expect_err("shut from the start");
    assert!(error.is_connect(), "{error:?}");
    let rule = serde_json::json!({"match": {"service": "app-service"}, "not_listening_ms": 300});
    run.emulator.faults().replace(vec![serde_json::from_value(rule).expect("a rule")]).expect("valid");
    while good(&run, Host::AppService).send().await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(run.emulator.faults().rules().is_empty(), "its time is over");
    // A connection that is kept open is one to a port that listens.
    assert_eq!(send(good(&run, Host::AppService)).await.status, 200);
    let rule = serde_json::json!({"match": {"service": "app-service"}, "not_listening_ms": 3_600_000});
    assert_eq!(send(run.control("PUT", "/faults").body(rule.to_string())).await.status, 204);
    assert!(good(&run, Host::AppService).send().await.is_err());
    assert_eq!(send(run.control("DELETE", "/faults")).await.status, 204);
    assert_eq!(send(good(&run, Host::AppService)).await.status, 200);
}

#[tokio::test]
async fn status_names_the_endpoints() {
    let run = start().await;
    let endpoints = &send(run.control("GET", "/status")).await.json()["endpoints"];
    for host in Host::ALL {
        let url = run.emulator.endpoint_of(host).map_or(serde_json::Value::Null, Into::into);
        assert_eq!(endpoints[host.name()], url, "{host:?}");
        assert_eq!(serde_json::to_value(host).expect("a name"), host.name());
    }
}
