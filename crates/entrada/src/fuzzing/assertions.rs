//! Where the assertions of apps come from.

use std::sync::Arc;

use super::entra::{ask, client};
use super::{check, machine};
use crate::assertions::{
    AzurePipelinesAssertion, ClientAssertion, CommandAssertion, CommandAssertionOptions, FileAssertion,
    GitHubActionsAssertion, Presented, UrlAssertion, UrlAssertionOptions,
};
use crate::entra::{Grant, Proof};
use crate::platform::ProcessOutput;
use crate::platform::scripted::Scripted;

const RUNNER: &str = "Hy5Tn2Vc9Ql7Wd4Z";
const VARIABLES: &[(&str, &str)] = &[
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", RUNNER),
    ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://runner.example/token?version=2"),
    ("SYSTEM_OIDCREQUESTURI", "https://dev.azure.com/contoso/oidctoken"),
];

/// Where an assertion comes from, by the first character: `c` a command that prints JSON, `f` a file, `g` GitHub Actions,
/// `p` Azure Pipelines, `u` a server, `v` a server that answers with JSON. Then what it says, as do all servers that are
/// asked later, Entra's among them. What is sent to Entra has the form of a JWT; an error says nothing of it.
pub fn assertion(data: &[u8]) {
    let Some((kind, said)) = data.split_first() else { return };
    let said = said.strip_prefix(b"\n").unwrap_or(said);
    let url = |json_pointer: Option<&str>| {
        let headers = vec![("x-key".to_owned(), RUNNER.to_owned().into())];
        let json_pointer = json_pointer.map(str::to_owned);
        let options = UrlAssertionOptions { headers, json_pointer, ..UrlAssertionOptions::default() };
        UrlAssertion::new("https://issuer.example/token", Some(options)).expect("a URL")
    };
    let command = || {
        let options = CommandAssertionOptions { json_pointer: Some("/0/svid".into()), ..Default::default() };
        CommandAssertion::new(["/opt/tool"], Some(options)).expect("a command")
    };
    let source: Arc<dyn ClientAssertion> = match kind {
        b'c' => Arc::new(command()),
        b'f' => Arc::new(FileAssertion::new("/run/assertion")),
        b'g' => Arc::new(GitHubActionsAssertion { audience: None }),
        b'p' => Arc::new(AzurePipelinesAssertion {
            service_connection_id: "sc-1".into(),
            system_access_token: RUNNER.to_owned().into(),
        }),
        b'u' => Arc::new(url(None)),
        b'v' => Arc::new(url(Some("/data/token"))),
        _ => return,
    };
    let output = ProcessOutput { code: Some(0), stdout: said.to_vec(), stderr: said.to_vec() };
    let machine = Scripted::new(VARIABLES).always(machine::answer(said)).outputs([Ok(output)]);
    machine.files.put("/run/assertion", said);
    machine.files.put("/opt/tool", "#!");
    let client = client(&machine, Proof::Assertion(Arc::new(Presented(source))));
    let outcome = ask(&machine, &client, &Grant::ClientCredentials);
    for sent in machine.http.sent().iter().filter(|sent| sent.line.contains("login.microsoftonline.com")) {
        let form: Vec<_> = url::form_urlencoded::parse(sent.body.as_bytes()).collect();
        let shown = form.iter().find(|(name, _)| name == "client_assertion").expect("an assertion");
        assert!(shown.1.split('.').count() == 3 && !shown.1.contains(char::is_whitespace), "{} was sent", shown.1);
    }
    if let Err(error) = outcome {
        check::error(&error, said, &machine::shown(&machine, &[RUNNER]));
    }
}
