//! Signing in with the browser, with a real listener on loopback.

use std::sync::Arc;
use std::time::Duration;

use entrada::{
    AuthenticationRecord, InteractiveBrowserCredential, InteractiveBrowserCredentialOptions, Outcome, TokenRequest,
};
use entrada_emulator::config::Refusal;
use entrada_emulator::world;

use crate::machine::{MANAGEMENT, Machine, VAULT, claim, code, token};

fn options(machine: &Machine) -> InteractiveBrowserCredentialOptions {
    InteractiveBrowserCredentialOptions {
        tenant_id: Some(world::TENANT_DOMAIN.into()),
        client_id: Some(world::CLI_CLIENT_ID.into()),
        // A test that waits for a browser in vain should not do so for minutes.
        timeout: Some(Duration::from_secs(60)),
        entra: machine.options(),
        ..Default::default()
    }
}

fn credential(options: InteractiveBrowserCredentialOptions) -> Arc<InteractiveBrowserCredential> {
    InteractiveBrowserCredential::new(Some(options)).expect("valid")
}

#[tokio::test]
async fn a_person_signs_in_once_for_all_that_is_needed() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let credential = credential(options(&machine));
    let vault = token(&*credential, VAULT).await.expect("a token");
    assert_eq!(claim(&vault, "oid"), world::USER_OBJECT_ID);
    assert_eq!(claim(&vault, "appid"), world::CLI_CLIENT_ID);
    let page = machine.shown().await;
    assert!(page.contains("You are signed in") && page.contains(world::USER_NAME), "{page}");
    let management = token(&*credential, MANAGEMENT).await.expect("without a question");
    assert_ne!(vault.secret(), management.secret());
    assert_eq!(machine.opened(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_ask_there_is_one_page() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let credential = credential(options(&machine));
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let credential = Arc::clone(&credential);
            tokio::spawn(async move { token(&*credential, [VAULT, MANAGEMENT][n % 2]).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("a token");
    }
    assert_eq!(machine.opened(), 1);
}

#[tokio::test]
async fn what_azure_identity_does_without_options_is_done() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let options = InteractiveBrowserCredentialOptions { entra: machine.options(), ..Default::default() };
    let token = token(&*credential(options), VAULT).await.expect("a token");
    assert_eq!(claim(&token, "appid"), world::AZURE_CLI_CLIENT_ID);
    assert_eq!(claim(&token, "tid"), world::TENANT_ID);
}

#[tokio::test]
async fn revoked_sessions_lead_to_a_new_question() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let credential = credential(options(&machine));
    token(&*credential, VAULT).await.expect("a token");
    machine.emulator.revoke_sessions(world::USER_NAME).expect("a user");
    token(&*credential, MANAGEMENT).await.expect("a token");
    assert_eq!(machine.opened(), 2);
}

#[tokio::test]
async fn a_record_says_whose_tokens_and_nothing_secret() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let first = credential(options(&machine));
    let record = first.authenticate(None).await.expect("a record");
    assert_eq!(record.home_account_id(), format!("{}.{}", world::USER_OBJECT_ID, world::TENANT_ID));
    assert_eq!((record.username(), record.tenant_id()), (world::USER_NAME, world::TENANT_ID));
    assert_eq!(record.authority(), "login.microsoftonline.com");
    let record = AuthenticationRecord::deserialize(&record.serialize()).expect("read");
    let with_record = |entra, disable_automatic_authentication| {
        credential(InteractiveBrowserCredentialOptions {
            authentication_record: Some(record.clone()),
            tenant_id: Some(world::TENANT_DOMAIN.into()),
            disable_automatic_authentication,
            entra,
            ..Default::default()
        })
    };
    // In the same program nobody is asked again; in another one somebody has to be.
    token(&*with_record(machine.options(), true), VAULT).await.expect("without a question");
    let other = with_record(machine.elsewhere(), true);
    let error = token(&*other, VAULT).await.expect_err("nobody may be asked");
    assert_eq!(error.outcome(), Outcome::InteractionRequired);
    assert_eq!(machine.opened(), 1);
    let again = other.authenticate(error.authentication_request().cloned()).await.expect("a record");
    assert_eq!(again, record);
    assert_eq!(machine.opened(), 2);
    token(&*other, VAULT).await.expect("at hand");
    // Somebody else is not taken for Ada.
    machine.another_person(world::MFA_USER_NAME);
    let error = token(&*with_record(machine.elsewhere(), false), VAULT).await.expect_err("another account").to_string();
    assert!(error.contains(&format!("this credential is for {}", world::USER_NAME)), "{error}");
}

#[tokio::test]
async fn who_is_refused_is_told_why_in_the_browser_and_in_the_program() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let clients = [(world::ADMIN_CONSENT_CLIENT_ID, "AADSTS90094")];
    let users = [
        (world::BLOCKED_USER_NAME, "AADSTS53003"),
        (world::DISABLED_USER_NAME, "AADSTS50057"),
        (world::LOCKED_USER_NAME, "AADSTS50053"),
        (world::EXPIRED_PASSWORD_USER_NAME, "AADSTS50055"),
    ];
    let of_clients = clients.map(|(client, code)| (client, world::USER_NAME, code));
    let of_users = users.map(|(user, code)| (world::CLI_CLIENT_ID, user, code));
    for (client, user, expected) in of_clients.into_iter().chain(of_users) {
        machine.emulator.sign_in_as(Some(user)).expect("a user");
        let options = InteractiveBrowserCredentialOptions { client_id: Some(client.into()), ..options(&machine) };
        let error = token(&*credential(options), VAULT).await.expect_err(expected);
        assert_eq!(code(&error), expected, "{error}");
        assert!(error.remedy().is_some(), "{error}");
        let page = machine.shown().await;
        assert!(page.contains("You are not signed in") && page.contains(expected), "{page}");
    }
}

#[tokio::test]
async fn who_has_to_show_more_shows_it_in_the_browser() {
    let machine = Machine::of(Some(world::MFA_USER_NAME)).await;
    let credential = credential(options(&machine));
    let first = token(&*credential, VAULT).await.expect("a token");
    assert!(claim(&first, "amr").as_array().expect("methods").iter().any(|method| method == "mfa"), "{first:?}");
    // From now on a policy is in the way; the refresh token alone does not do, and nor does the person.
    machine.emulator.set_refusal(world::MFA_USER_NAME, Some(Refusal::Blocked)).expect("a user");
    let error = token(&*credential, MANAGEMENT).await.expect_err("blocked");
    assert_eq!(code(&error), "AADSTS53003", "{error}");
}

#[tokio::test]
async fn a_guest_gets_tokens_of_the_other_tenant_silently() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let mut options = options(&machine);
    options.entra.additionally_allowed_tenants = vec![world::FABRIKAM_TENANT_ID.into()];
    let credential = credential(options);
    token(&*credential, VAULT).await.expect("a token");
    let mut request = TokenRequest::new([VAULT]);
    request.tenant_id = Some(world::FABRIKAM_TENANT_ID.into());
    let guest = entrada::Credential::token(&*credential, &request).await.expect("a token");
    assert_eq!(claim(&guest, "tid"), world::FABRIKAM_TENANT_ID);
    assert_eq!(claim(&guest, "oid"), world::GUEST_OBJECT_ID);
    assert_eq!(machine.opened(), 1);
}

#[tokio::test]
async fn claims_and_capabilities_reach_the_token() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let credential = credential(options(&machine));
    let plain = token(&*credential, VAULT).await.expect("a token");
    assert!(claim(&plain, "xms_cc").is_null());
    let mut request = TokenRequest::new([VAULT]);
    request.enable_cae = true;
    request.claims = Some(r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#.into());
    let capable = entrada::Credential::token(&*credential, &request).await.expect("a token");
    assert_eq!(claim(&capable, "xms_cc"), serde_json::json!(["CP1"]));
    assert_eq!(machine.opened(), 1);
}

#[tokio::test]
async fn a_given_port_is_listened_at_and_a_taken_one_is_named() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let at = |port: u16| InteractiveBrowserCredentialOptions {
        redirect_uri: Some(format!("http://localhost:{port}")),
        ..options(&machine)
    };
    let error = token(&*credential(at(port)), VAULT).await.expect_err("taken");
    assert_eq!(error.outcome(), Outcome::Unavailable);
    assert!(error.to_string().contains(&format!("port {port} is in use")), "{error}");
    assert_eq!(machine.opened(), 0);
    drop(taken);
    token(&*credential(at(port)), VAULT).await.expect("a token");
}
