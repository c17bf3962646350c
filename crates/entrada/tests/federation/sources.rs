//! Assertions of every source.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use entrada::{
    AssertionError, Cache, CacheLimits, ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
    CommandAssertion, EnvironmentAssertion, Error, FileAssertion, ManagedIdentityAssertion,
    ManagedIdentityAssertionOptions, ManagedIdentityCredentialOptions, UrlAssertion, UrlAssertionOptions,
    UserAssignedId,
};
use entrada_emulator::{Host, Service, world};

use crate::machine::{Machine, token, whose};

fn credential(machine: &Machine, assertion: impl ClientAssertion) -> Arc<ClientAssertionCredential> {
    let options = ClientAssertionCredentialOptions { entra: machine.options() };
    ClientAssertionCredential::new(world::TENANT_ID, world::APP_CLIENT_ID.into(), assertion, Some(options))
        .expect("valid")
}

async fn signs_in(machine: &Machine, assertion: impl ClientAssertion) -> Result<(), Error> {
    let token = token(&*credential(machine, assertion)).await?;
    assert_eq!(whose(&token), world::APP_OBJECT_ID);
    Ok(())
}

#[tokio::test]
async fn files_variables_and_closures_vouch() {
    let machine = Machine::on(Host::Laptop).await;
    let assertion = machine.assertion(600);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("assertion");
    std::fs::write(&path, format!("{assertion}\n")).expect("written");
    let machine = machine.with("ID_TOKEN", Some(&assertion));
    signs_in(&machine, FileAssertion::new(&path)).await.expect("by file");
    signs_in(&machine, EnvironmentAssertion::new("ID_TOKEN")).await.expect("by variable");
    let closure = move || {
        let assertion = assertion.clone();
        async move { Ok::<_, AssertionError>(assertion) }
    };
    signs_in(&machine, closure).await.expect("by closure");
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_vouches() {
    use std::os::unix::fs::PermissionsExt;

    let machine = Machine::on(Host::Laptop).await;
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("vouch");
    std::fs::write(&program, format!("#!/bin/sh\ntest \"$1\" = jwt && echo {}\n", machine.assertion(600)))
        .expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("a program");
    let by_path = CommandAssertion::new([program.as_os_str(), "jwt".as_ref()], None).expect("valid");
    signs_in(&machine, by_path).await.expect("by its path");
    let machine = machine.with("PATH", folder.path().to_str());
    signs_in(&machine, CommandAssertion::new(["vouch", "jwt"], None).expect("valid")).await.expect("by its name");
    let error =
        signs_in(&machine, CommandAssertion::new(["vouch", "x"], None).expect("valid")).await.expect_err("fails");
    assert!(error.to_string().contains("vouch ended with status 1"), "{error}");
}

#[tokio::test]
async fn a_server_vouches() {
    // GitHub's issuer, asked as any server.
    let machine = Machine::on(Host::GitHubActions).await;
    let url = format!("{}&audience={}", machine.variables["ACTIONS_ID_TOKEN_REQUEST_URL"], world::EXCHANGE_AUDIENCE);
    let options = |token: &str| UrlAssertionOptions {
        headers: vec![("authorization".into(), format!("Bearer {token}").into())],
        json_pointer: Some("/value".into()),
        ..Default::default()
    };
    let token = machine.variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"].clone();
    signs_in(&machine, UrlAssertion::new(&url, Some(options(&token))).expect("valid")).await.expect("by server");
    let error = signs_in(&machine, UrlAssertion::new(&url, Some(options("wrong-token"))).expect("valid"))
        .await
        .expect_err("401");
    assert!(error.to_string().contains("HTTP 401") && !error.to_string().contains("wrong-token"), "{error}");
}

#[tokio::test]
async fn a_managed_identity_vouches() {
    let machine = Machine::on(Host::VirtualMachine).await;
    let vouch = |user_assigned_id, audience: Option<&str>| {
        ManagedIdentityAssertion::with_options(ManagedIdentityAssertionOptions {
            audience: audience.map(str::to_owned),
            managed_identity: ManagedIdentityCredentialOptions {
                user_assigned_id,
                platform: Some(machine.platform()),
                cache: Some(Cache::new(CacheLimits::default())),
                ..Default::default()
            },
        })
        .expect("valid")
    };
    let identity = || Some(UserAssignedId::ClientId(world::USER_ASSIGNED_CLIENT_ID.into()));
    signs_in(&machine, vouch(identity(), None)).await.expect("by the identity that the app trusts");
    for (id, audience, words) in [
        (Some(UserAssignedId::ClientId(world::SECOND_USER_ASSIGNED_CLIENT_ID.into())), None, "AADSTS70021"),
        (identity(), Some("https://vault.azure.net"), "AADSTS70021"),
    ] {
        let error = signs_in(&machine, vouch(id, audience)).await.expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn an_assertion_that_is_out_of_date_is_got_anew_once() {
    let machine = Machine::on(Host::Laptop).await;
    let assertions = [machine.assertion(-600), machine.assertion(600)];
    let count = AtomicUsize::new(0);
    let next = move || {
        let assertion = assertions[count.fetch_add(1, Ordering::Relaxed).min(1)].clone();
        async move { Ok::<_, AssertionError>(assertion) }
    };
    signs_in(&machine, next).await.expect("by the second one");
    assert_eq!(machine.requests(Service::Entra), 2);
    let expired = machine.assertion(-600);
    let machine = machine.with("ID_TOKEN", Some(&expired));
    let error = signs_in(&machine, EnvironmentAssertion::new("ID_TOKEN")).await.expect_err("expired").to_string();
    assert!(error.contains("AADSTS700024") && !error.contains(&expired), "{error}");
    assert_eq!(machine.requests(Service::Entra), 4, "once more, not twice");
}
