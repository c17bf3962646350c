//! `entrada emulate`: environment, exit status, errors, journal.

use crate::support::{Entrada, ended};

fn shell(script: &str) -> Vec<&str> {
    vec!["emulate", "--", "sh", "-c", script]
}

#[test]
fn the_exit_status_is_the_commands() {
    let entrada = Entrada::new();
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143)] {
        assert_eq!(entrada.run(&shell(script)).code, Some(code), "{script}");
    }
    assert!(entrada.left().is_empty(), "{:?}", entrada.left());
}

#[test]
fn a_command_that_cannot_run_is_named() {
    let entrada = Entrada::new();
    let missing = entrada.run(&["emulate", "--", "entrada-no-such-command"]);
    assert!(
        missing.code == Some(127) && missing.err.contains("`entrada-no-such-command` not found in PATH"),
        "{missing:?}"
    );
    let path = entrada.run(&["emulate", "--", "./no/such/file"]);
    assert!(path.code == Some(127) && path.err.contains("does not exist"), "{path:?}");
    let text = entrada.file("text", "not a program");
    let refused = entrada.run(&["emulate", "--", &text]);
    assert!(refused.code == Some(126) && refused.err.contains("is it executable?"), "{refused:?}");
}

#[test]
fn arguments_reach_the_command_unchanged() {
    let entrada = Entrada::new();
    let result = entrada.run(&["emulate", "--quiet", "--", "printf", "%s|", "a b", "--host", "$HOME", "*"]);
    assert_eq!((result.out.as_str(), result.err.as_str()), ("a b|--host|$HOME|*|", ""));
}

#[test]
fn the_environment_is_the_hosts_and_the_users_own_choices_stay() {
    let entrada = Entrada::new();
    let environment = |host: &str| {
        let mut command = entrada.command(&["emulate", "--quiet", "--host", host, "--", "env"]);
        command
            .env("AZURE_CLIENT_ID", "mine")
            .env("AZURE_CONFIG_DIR", "/mine")
            .env("MSI_ENDPOINT", "http://elsewhere")
            .env("IDENTITY_ENDPOINT", "http://elsewhere")
            .env("SSL_CERT_DIR", "/elsewhere")
            .env("HTTPS_PROXY", "http://elsewhere");
        ended(command).out
    };
    let laptop = environment("laptop");
    assert!(laptop.contains("AZURE_CLIENT_ID=mine\n") && laptop.contains("AZURE_CONFIG_DIR=/mine\n"));
    assert!(!laptop.contains("elsewhere") && !laptop.contains("IDENTITY_ENDPOINT="), "{laptop}");
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
        assert!(laptop.contains(&format!("{name}=http://127.0.0.1:")), "{name}");
    }
    for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
        assert!(laptop.contains(&format!("{name}={}", entrada.folder.path().display())), "{name}");
    }
    assert!(laptop.contains("NO_PROXY=localhost,127.0.0.1\n") && laptop.contains("AZURE_CORE_COLLECT_TELEMETRY=no\n"));
    let app = environment("app-service");
    assert!(app.contains("WEBSITE_HOSTNAME=orders-web.azurewebsites.net\n") && app.contains("IDENTITY_HEADER="));
    assert!(app.contains("IDENTITY_ENDPOINT=http://127.0.0.1:"));
    assert!(environment("vm").contains("AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:"));
}

const ASK: &str = "exec curl --silent --fail --max-time 20";

#[test]
fn a_program_inside_asks_under_public_names() {
    let entrada = Entrada::new();
    let script = format!(
        "{ASK} https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration"
    );
    let result = entrada.run(&shell(&script));
    assert_eq!(result.code, Some(0), "{result:?}");
    assert!(result.out.contains("\"token_endpoint\""), "{result:?}");
    assert!(result.err.contains("entrada: 1 exchange (entra 1)"), "{result:?}");
}

#[test]
fn refused_names_are_told_of_at_once_and_counted() {
    let entrada = Entrada::new();
    let script = format!("{} https://example.com/ ", ASK.replace("exec ", ""));
    let result = entrada.run(&shell(&format!("{script}; {script}; exit 3")));
    assert_eq!(result.code, Some(3));
    assert_eq!(result.err.matches("entrada: refused example.com").count(), 1, "{result:?}");
    assert!(result.err.contains("2 exchanges") && result.err.contains("2 refused"), "{result:?}");
    let quiet = entrada.run(&["emulate", "--quiet", "--", "sh", "-c", &script]);
    assert_eq!(quiet.err, "");
}

#[test]
fn the_journal_is_lines_of_json() {
    let entrada = Entrada::new();
    let script = format!("{ASK} https://management.azure.com/subscriptions?api-version=2022-12-01");
    let file = entrada.folder.path().join("journal.jsonl").to_string_lossy().into_owned();
    entrada.run(&["emulate", "--journal", &file, "--", "sh", "-c", &script]);
    let text = std::fs::read_to_string(&file).expect("written");
    let line: serde_json::Value = serde_json::from_str(text.trim_end()).expect("one line of JSON");
    assert_eq!((&line["service"], &line["status"]), (&"resource-manager".into(), &401.into()));
    let result = entrada.run(&["emulate", "--quiet", "--journal", "-", "--", "sh", "-c", &script]);
    assert!(result.out.contains("\"service\":\"resource-manager\""), "{result:?}");
    let bad = entrada.run(&["emulate", "--journal", "/no/such/folder/file", "--", "true"]);
    assert!(bad.code == Some(2) && bad.err.contains("/no/such/folder/file"), "{bad:?}");
}

#[test]
fn a_configuration_adds_to_the_world_and_its_errors_have_lines() {
    let entrada = Entrada::new();
    let good = entrada.file("good.toml", "[[faults]]\nmatch = { service = \"entra\" }\nrespond = { status = 418 }\n");
    let script = "curl --silent --output /dev/null --write-out '%{http_code}' https://login.microsoftonline.com/";
    let result = entrada.run(&["emulate", "--config", &good, "--", "sh", "-c", script]);
    assert_eq!(result.out, "418");
    let bad = entrada.file("bad.toml", "[[tenants]]\nid = \"x\"\ndomain = \"d.example\"\nname = \"n\"\n");
    let result = entrada.run(&["emulate", "--config", &bad, "--", "true"]);
    assert_eq!(result.code, Some(2));
    for part in ["bad.toml", "line 2", "GUID", "`x`"] {
        assert!(result.err.contains(part), "{part} in {}", result.err);
    }
    let missing = entrada.run(&["emulate", "--config", "/no/such.toml", "--", "true"]);
    assert!(missing.code == Some(2) && missing.err.contains("/no/such.toml"), "{missing:?}");
}

#[test]
fn the_built_in_world_is_a_file_to_start_from() {
    let entrada = Entrada::new();
    let printed = entrada.run(&["emulate", "--print-config"]);
    assert_eq!(printed.code, Some(0));
    let changed = printed.out.replace("\"orders-web\"", "\"shop-web\"");
    let file = entrada.file("world.toml", &changed);
    let arguments = ["emulate", "--quiet", "--config", &file, "--host", "app-service", "--", "env"];
    let result = entrada.run(&arguments);
    assert!(result.out.contains("WEBSITE_HOSTNAME=shop-web.azurewebsites.net\n"), "{result:?}");
}

#[test]
fn a_host_can_be_named_in_full_or_for_short() {
    let entrada = Entrada::new();
    for (host, variable) in [
        ("vm", "AZURE_POD_IDENTITY_AUTHORITY_HOST="),
        ("virtual-machine", "AZURE_POD_IDENTITY_AUTHORITY_HOST="),
        ("app-service-legacy", "MSI_SECRET="),
        ("container-app", "CONTAINER_APP_NAME=orders-api\n"),
        ("service-fabric", "IDENTITY_SERVER_THUMBPRINT="),
        ("azure-ml", "DEFAULT_IDENTITY_CLIENT_ID="),
        ("cloud-shell", "MSI_ENDPOINT="),
        ("container-instance", "AZURE_POD_IDENTITY_AUTHORITY_HOST="),
        ("kubernetes", "AZURE_FEDERATED_TOKEN_FILE="),
        ("kubernetes-identity-binding", "AZURE_KUBERNETES_SNI_NAME=orders-aks.ests.aks\n"),
        ("github-actions", "ACTIONS_ID_TOKEN_REQUEST_URL=https://"),
        ("azure-pipelines", "SYSTEM_OIDCREQUESTURI=https://dev.azure.com/contoso/"),
    ] {
        let result = entrada.run(&["emulate", "--quiet", "--host", host, "--", "env"]);
        assert!(result.code == Some(0) && result.out.contains(variable), "{host}: {result:?}");
    }
}

#[test]
fn an_arc_machine_needs_a_folder_for_its_keys() {
    let entrada = Entrada::new();
    let place = entrada.folder.path().join("keys").to_string_lossy().into_owned();
    let good = entrada.file("good.toml", &format!("arc_key_folder = \"{place}\"\n"));
    let script = "curl --silent --header 'Metadata: true' --output /dev/null --write-out '%{http_code}' \"$IDENTITY_ENDPOINT?api-version=2020-06-01&resource=https://vault.azure.net\"";
    let result = entrada.run(&["emulate", "--config", &good, "--host", "azure-arc", "--", "sh", "-c", script]);
    assert!(result.out == "401" && result.err.contains("azure-arc 1"), "{result:?}");
    assert!(!std::path::Path::new(&place).exists(), "what was made is removed");
    let bad = entrada.file("bad.toml", &format!("arc_key_folder = \"{good}/keys\"\n"));
    let result = entrada.run(&["emulate", "--config", &bad, "--host", "azure-arc", "--", "true"]);
    assert!(result.code == Some(1) && result.err.contains("arc_key_folder"), "{result:?}");
    assert!(!result.err.contains("exchange"), "the command did not run: {result:?}");
}

#[test]
fn help_teaches() {
    let entrada = Entrada::new();
    let help = entrada.run(&["emulate", "--help"]);
    for part in ["Examples:", "--host vm -- python app.py", "contoso-vault.vault.azure.net", "Exit status"] {
        assert!(help.out.contains(part), "{part}");
    }
    let wrong = entrada.run(&["emulate", "--host", "moon", "--", "true"]);
    assert!(wrong.code == Some(2) && wrong.err.contains("app-service"), "{wrong:?}");
}

/// Hears one request, answers it, and gives its first line.
#[cfg(unix)]
fn hear(listener: &std::net::TcpListener) -> String {
    use std::io::{BufRead, BufReader, Write};
    let (mut stream, _) = listener.accept().expect("a connection");
    let mut line = String::new();
    BufReader::new(stream.try_clone().expect("a stream")).read_line(&mut line).expect("a request");
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").expect("answered");
    line
}

#[cfg(unix)]
#[test]
fn a_browser_signs_the_user_in_where_no_person_is() {
    let entrada = Entrada::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let address = format!(
        "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize?client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46\
         &response_type=code&scope=User.Read&state=s&redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}"
    );
    // The program that opens the browser goes on at once, and is there until the answer has come.
    let heard = entrada.folder.path().join("heard");
    let script = format!(
        "\"$BROWSER\" '{address}' && for i in $(seq 600); do test -e {0} && exit 0; sleep 0.1; done; exit 9",
        heard.display()
    );
    let hearing = std::thread::spawn(move || {
        let line = hear(&listener);
        std::fs::write(heard, "").expect("written");
        line
    });
    let ended =
        entrada.run(&["emulate", "--quiet", "--sign-in-as", "ada@contoso.onmicrosoft.com", "--", "sh", "-c", &script]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let line = hearing.join().expect("heard");
    assert!(line.starts_with("GET /?code=1.") && line.contains("&state=s"), "{line}");
}

#[test]
fn a_user_who_is_not_there_cannot_sign_in() {
    let entrada = Entrada::new();
    let refused = entrada.run(&["emulate", "--sign-in-as", "nobody@contoso.onmicrosoft.com", "--", "true"]);
    assert!(refused.code == Some(2) && refused.err.contains("ada@contoso.onmicrosoft.com"), "{refused:?}");
    let mut plain = entrada.command(&["emulate", "--quiet", "--", "env"]);
    plain.env("BROWSER", "/mine");
    assert!(ended(plain).out.contains("\nBROWSER=/mine\n"), "without it the user's own browser stays");
}
