//! Starting and stopping.

use crate::support::{install_provider, start};
use entrada_emulator::{AssignError, Config, Emulator, Host, StartError, world};
use std::net::TcpStream;

#[tokio::test]
async fn nothing_is_left_after_a_run() {
    let run = start().await;
    let file = run.emulator.authority_file();
    assert_eq!(std::fs::read_to_string(&file).expect("the certificate"), run.emulator.authority_pem());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let folder = file.parent().expect("a folder").metadata().expect("metadata");
        assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    }
    let ports: Vec<String> = Host::ALL
        .iter()
        .map(|host| run.emulator.gateway_url_of(*host))
        .chain([run.emulator.control_url(), run.emulator.imds_url()])
        .map(|url| url.replace("http://", ""))
        .collect();
    assert!(ports.iter().all(|port| TcpStream::connect(port).is_ok()));
    run.emulator.shutdown().await;
    assert!(ports.iter().all(|port| TcpStream::connect(port).is_err()));
    assert!(!file.parent().expect("a folder").exists());
}

#[tokio::test]
async fn dropping_removes_the_folder() {
    install_provider();
    let emulator = Emulator::start(Config::default()).await.expect("started");
    let file = emulator.authority_file();
    assert!(file.exists());
    drop(emulator);
    assert!(!file.exists());
}

#[tokio::test]
async fn a_bad_world_does_not_start() {
    let mut config = Config::default();
    config.web_apps[0].user_assigned.push("nobody".into());
    match Emulator::start(config).await {
        Err(StartError::Config(error)) => assert!(error.to_string().contains("`nobody`"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn roles_are_assigned_to_what_exists() {
    let run = start().await;
    let assign = |principal: &str, role: &str, scope: &str| run.emulator.assign_role(principal, role, scope);
    assert!(matches!(assign("nobody", "Reader", "/"), Err(AssignError::UnknownPrincipal { .. })));
    assert!(matches!(assign(world::APP_OBJECT_ID, "Boss", "/"), Err(AssignError::UnknownRole { .. })));
    assert!(matches!(assign(world::APP_OBJECT_ID, "Reader", "here"), Err(AssignError::InvalidScope { .. })));
}

#[tokio::test]
async fn debug_output_holds_no_secret() {
    let run = start().await;
    let shown = format!("{:?} {:?} {:?}", run.emulator, Config::default(), Config::default().apps);
    for secret in [world::APP_SECRET, world::SECRET_VALUE, world::USER_PASSWORD, run.emulator.control_key()] {
        assert!(!shown.contains(secret));
    }
}
