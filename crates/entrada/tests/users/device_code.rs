//! Signing in with a device code.

use std::sync::{Arc, Mutex};

use entrada::{DeviceCodeCredential, DeviceCodeCredentialOptions, DeviceCodeInfo, Error, PromptCallback};
use entrada_emulator::{Emulator, world};

use crate::machine::{MANAGEMENT, Machine, VAULT, claim, code, token};

/// A credential whose person does something with the code; and what they were told.
fn credential(
    machine: &Machine,
    client_id: &str,
    does: impl Fn(&DeviceCodeInfo) + Send + Sync + 'static,
) -> (Arc<DeviceCodeCredential>, Arc<Mutex<Vec<DeviceCodeInfo>>>) {
    let told = Arc::<Mutex<Vec<DeviceCodeInfo>>>::default();
    let tell = Arc::clone(&told);
    let callback = PromptCallback::from_async(move |info| {
        does(&info);
        tell.lock().expect("no panic").push(info);
        std::future::ready(Ok::<(), Error>(()))
    });
    let options = DeviceCodeCredentialOptions {
        tenant_id: Some(world::TENANT_DOMAIN.into()),
        client_id: Some(client_id.into()),
        prompt_callback: Some(callback),
        entra: machine.hurried(),
        ..Default::default()
    };
    (DeviceCodeCredential::new(Some(options)).expect("valid"), told)
}

#[tokio::test]
async fn a_person_enters_the_code_elsewhere() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let (credential, told) = credential(&machine, world::CLI_CLIENT_ID, |_| {});
    let vault = token(&*credential, VAULT).await.expect("a token");
    assert_eq!(claim(&vault, "oid"), world::USER_OBJECT_ID);
    // Pending once, then approved.
    assert_eq!(polls(&machine.emulator), 2);
    token(&*credential, MANAGEMENT).await.expect("without a question");
    assert_eq!(told.lock().expect("no panic").len(), 1);
    let info = told.lock().expect("no panic")[0].clone();
    assert!(info.verification_uri.starts_with("https://"), "{info:?}");
    assert!(info.message.contains(&info.user_code) && info.message.contains(&info.verification_uri), "{info:?}");
    // Revoked, the person is told a new code.
    machine.emulator.revoke_sessions(world::USER_NAME).expect("a user");
    let record = credential.authenticate(None).await.expect("a record");
    assert_eq!(record.username(), world::USER_NAME);
    let told = told.lock().expect("no panic");
    assert_eq!(told.len(), 2);
    assert_ne!(told[0].user_code, told[1].user_code);
}

fn polls(emulator: &Emulator) -> usize {
    emulator.journal().entries().iter().filter(|entry| entry.path.ends_with("/token")).count()
}

#[tokio::test]
async fn who_declines_is_not_asked_again() {
    let machine = Arc::new(Machine::of(None).await);
    let (sender, receiver) = std::sync::mpsc::channel();
    let (credential, told) = credential(&machine, world::CLI_CLIENT_ID, move |info| {
        sender.send(info.user_code.clone()).expect("heard");
    });
    let person = Arc::clone(&machine);
    let declines = tokio::task::spawn_blocking(move || {
        let user_code = receiver.recv().expect("told");
        person.emulator.decline_device(&user_code).expect("a code");
    });
    let error = token(&*credential, VAULT).await.expect_err("declined");
    declines.await.expect("no panic");
    let answer = error.server_answer().expect("an answer");
    assert_eq!(answer.error.as_deref(), Some("authorization_declined"), "{error}");
    assert!(error.to_string().contains("declined"), "{error}");
    assert_eq!(told.lock().expect("no panic").len(), 1);
}

#[tokio::test]
async fn who_never_enters_it_is_not_waited_for_any_longer() {
    let machine = Machine::of(None).await;
    let (credential, _) = credential(&machine, world::CLI_CLIENT_ID, |_| {});
    let error = token(&*credential, VAULT).await.expect_err("nobody").to_string();
    assert!(error.contains("Timed out waiting for user to authenticate"), "{error}");
    assert!(polls(&machine.emulator) > 100, "it asked until the end");
}

#[tokio::test]
async fn apps_and_people_that_may_not_are_told_so() {
    let machine = Machine::of(Some(world::BLOCKED_USER_NAME)).await;
    let (refused, _) = credential(&machine, world::CLI_CLIENT_ID, |_| {});
    let error = token(&*refused, VAULT).await.expect_err("blocked");
    assert_eq!(code(&error), "AADSTS53003", "{error}");
    let (unknown, told) = credential(&machine, "c1000000-0000-4000-8000-0000000000ff", |_| {});
    let error = token(&*unknown, VAULT).await.expect_err("no such app");
    assert_eq!(code(&error), "AADSTS700016", "{error}");
    assert!(told.lock().expect("no panic").is_empty());
}
