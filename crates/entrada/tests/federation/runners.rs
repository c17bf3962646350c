//! Jobs of GitHub Actions and Azure Pipelines.

use entrada::{
    AzurePipelinesCredential, AzurePipelinesCredentialOptions, Credential, GitHubActionsCredential,
    GitHubActionsCredentialOptions, Outcome, TokenRequest,
};
use entrada_emulator::{Host, Service, world};

use crate::machine::{Machine, token, whose};

#[tokio::test]
async fn a_job_of_github_actions_gets_a_fresh_assertion_for_each_exchange() {
    let machine = Machine::on(Host::GitHubActions).await;
    let options = GitHubActionsCredentialOptions { entra: machine.options(), ..Default::default() };
    let credential = GitHubActionsCredential::new(Some(options)).expect("valid");
    assert_eq!(whose(&token(&*credential).await.expect("a token")), world::APP_OBJECT_ID);
    credential.token(&TokenRequest::new(["https://storage.azure.com/.default"])).await.expect("another token");
    let asked: Vec<_> = machine
        .emulator
        .journal()
        .entries()
        .into_iter()
        .filter(|entry| entry.host.ends_with("githubusercontent.com") && entry.method == "GET")
        .collect();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|entry| entry.audience.as_deref() == Some(world::EXCHANGE_AUDIENCE)));
    assert_eq!(machine.requests(Service::Entra), 2);
}

#[tokio::test]
async fn what_github_and_entra_refuse_is_told() {
    let machine =
        Machine::on(Host::GitHubActions).await.with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", Some("another-jobs-token"));
    let options = GitHubActionsCredentialOptions { entra: machine.options(), ..Default::default() };
    let credential = GitHubActionsCredential::new(Some(options)).expect("valid");
    let error = token(&*credential).await.expect_err("not this job's").to_string();
    assert!(error.contains("HTTP 401") && error.contains("check that the job still runs"), "{error}");
    assert!(!error.contains("another-jobs-token") && machine.requests(Service::Entra) == 0, "{error}");

    let machine = Machine::on(Host::GitHubActions).await;
    let audience = Some("api://somebody-else".to_owned());
    let options = GitHubActionsCredentialOptions { audience, entra: machine.options(), ..Default::default() };
    let credential = GitHubActionsCredential::new(Some(options)).expect("valid");
    let error = token(&*credential).await.expect_err("not what Entra trusts").to_string();
    assert!(error.contains("AADSTS700212"), "{error}");

    // A pull request from a fork.
    let machine = Machine::on(Host::GitHubActions)
        .await
        .with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", None)
        .with("ACTIONS_ID_TOKEN_REQUEST_URL", None);
    let options = GitHubActionsCredentialOptions { entra: machine.options(), ..Default::default() };
    let credential = GitHubActionsCredential::new(Some(options)).expect("valid");
    let error = token(&*credential).await.expect_err("no permission");
    assert_eq!(error.outcome(), Outcome::Unavailable);
    assert!(error.to_string().contains("id-token: write"), "{error}");
}

#[tokio::test]
async fn a_job_of_azure_pipelines_signs_in_by_its_variables_or_by_arguments() {
    let machine = Machine::on(Host::AzurePipelines).await;
    let options = || Some(AzurePipelinesCredentialOptions { entra: machine.options() });
    let by_variables = AzurePipelinesCredential::from_environment(options()).expect("valid");
    assert!(by_variables.configuration_error().is_none());
    assert_eq!(whose(&token(&*by_variables).await.expect("a token")), world::APP_OBJECT_ID);
    let by_arguments = AzurePipelinesCredential::new(
        world::TENANT_ID,
        world::APP_CLIENT_ID.into(),
        world::SERVICE_CONNECTION_ID.into(),
        machine.variables["SYSTEM_ACCESSTOKEN"].clone().into(),
        options(),
    )
    .expect("valid");
    assert_eq!(whose(&token(&*by_arguments).await.expect("a token")), world::APP_OBJECT_ID);
}

#[tokio::test]
async fn what_azure_pipelines_refuses_is_told() {
    for (name, value, words) in [
        ("SYSTEM_ACCESSTOKEN", "another-jobs-token", "SYSTEM_ACCESSTOKEN: $(System.AccessToken)"),
        (
            "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
            "5c000000-0000-4000-8000-00000000000f",
            "knows no such service connection",
        ),
    ] {
        let machine = Machine::on(Host::AzurePipelines).await.with(name, Some(value));
        let options = AzurePipelinesCredentialOptions { entra: machine.options() };
        let credential = AzurePipelinesCredential::from_environment(Some(options)).expect("valid");
        let error = token(&*credential).await.expect_err(words).to_string();
        assert!(error.contains(words) && !error.contains("another-jobs-token"), "{error}");
        assert_eq!(machine.requests(Service::Entra), 0);
    }
}
