//! Pods of Kubernetes.

use entrada::{Outcome, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions};
use entrada_emulator::{Host, Service, world};

use crate::machine::{Machine, token, whose};

fn options(machine: &Machine) -> WorkloadIdentityCredentialOptions {
    WorkloadIdentityCredentialOptions { entra: machine.options(), ..Default::default() }
}

#[tokio::test]
async fn a_pod_is_what_its_service_account_is_trusted_as() {
    for host in [Host::Kubernetes, Host::KubernetesIdentityBinding] {
        let machine = Machine::on(host).await;
        let credential = WorkloadIdentityCredential::new(Some(options(&machine))).expect("valid");
        assert_eq!(whose(&token(&*credential).await.expect("a token")), world::USER_ASSIGNED_OBJECT_ID);
    }
}

#[tokio::test]
async fn under_a_binding_entra_itself_refuses_the_pods_token() {
    let machine = Machine::on(Host::KubernetesIdentityBinding).await;
    let direct = WorkloadIdentityCredentialOptions { enable_azure_proxy: Some(false), ..options(&machine) };
    let credential = WorkloadIdentityCredential::new(Some(direct)).expect("valid");
    let error = token(&*credential).await.expect_err("not for Entra").to_string();
    assert!(error.contains("AADSTS700212"), "{error}");
}

#[tokio::test]
async fn an_expired_token_is_read_once_more_and_then_told() {
    let machine = Machine::on(Host::Kubernetes).await;
    machine.emulator.rotate_federated_token(-600).expect("written");
    let credential = WorkloadIdentityCredential::new(Some(options(&machine))).expect("valid");
    let error = token(&*credential).await.expect_err("expired").to_string();
    assert!(error.contains("AADSTS700024"), "{error}");
    assert_eq!(machine.requests(Service::Entra), 2);
    // The kubelet has written a new one: no restart is needed.
    machine.emulator.rotate_federated_token(3600).expect("written");
    token(&*credential).await.expect("a token");
}

#[tokio::test]
async fn where_the_webhook_has_not_been_a_chain_goes_on() {
    let machine = Machine::on(Host::Laptop).await;
    let credential = WorkloadIdentityCredential::new(Some(options(&machine))).expect("valid");
    let error = token(&*credential).await.expect_err("no pod");
    assert_eq!(error.outcome(), Outcome::Unavailable);
    assert!(error.to_string().contains("AZURE_FEDERATED_TOKEN_FILE"), "{error}");
}
