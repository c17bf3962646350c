//! A browser, scripted: what is opened, what comes back, and what the person is shown.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, DuplexStream};
use url::Url;

use super::*;
use crate::cache::Cache;
use crate::credential::Credential;
use crate::error::Outcome;
use crate::platform::scripted::{Scripted, ScriptedLoopback, response};
use crate::platform::{Http, HttpError, HttpRequest, HttpResponse, ProcessRequest};
use crate::token::TokenRequest;

type Parameters = HashMap<String, String>;

/// A token endpoint that checks the proof key and repeats the nonce, as Entra does.
#[derive(Default)]
struct Entra {
    opened: Mutex<Option<Parameters>>,
    sent: Mutex<Vec<Parameters>>,
}

#[async_trait::async_trait]
impl Http for Entra {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let form: Parameters = url::form_urlencoded::parse(&request.body).into_owned().collect();
        self.sent.lock().expect("no panic").push(form.clone());
        let opened = self.opened.lock().expect("no panic").clone().expect("a page was opened");
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
        assert_eq!(challenge, opened["code_challenge"]);
        let nonce = if form["code"] == "of another" { "another" } else { &opened["nonce"] };
        let claims = serde_json::json!({"aud": "client", "nonce": nonce, "preferred_username": "ada@contoso.com"});
        let id_token = format!("e30.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string()));
        // {"uid":"u-1","utid":"t-1"}
        let body = serde_json::json!({"access_token": "t-1", "expires_in": 3600, "id_token": id_token,
            "client_info": "eyJ1aWQiOiJ1LTEiLCJ1dGlkIjoidC0xIn0"});
        Ok(response(200, &body.to_string()))
    }
}

struct Desk {
    machine: Scripted,
    entra: Arc<Entra>,
    /// The browser's ends of its connections.
    tabs: Arc<Mutex<Vec<DuplexStream>>>,
}

impl Desk {
    /// A machine whose browser does, when a page is opened, what `does` says: the requests it sends.
    fn new(does: impl Fn(&Parameters) -> Vec<String> + Send + 'static) -> Self {
        let machine = Scripted::new(&[("BROWSER", "/usr/bin/browser")]);
        machine.files.put("/usr/bin/browser", "#!");
        let (entra, tabs) = (Arc::<Entra>::default(), Arc::<Mutex<Vec<DuplexStream>>>::default());
        let (at, loopback, open) = (Arc::clone(&entra), machine.loopback.clone(), Arc::clone(&tabs));
        machine.processes.when_launched(move |request: &ProcessRequest| {
            let page = request.arguments.last().expect("a page").to_string_lossy();
            let url = Url::parse(&page).expect("a URL");
            let opened: Parameters = url.query_pairs().into_owned().collect();
            *at.opened.lock().expect("no panic") = Some(opened.clone());
            let sent = does(&opened);
            open.lock().expect("no panic").extend(sent.iter().map(|sent| loopback.connect(sent.as_bytes())));
            None
        });
        Self { machine, entra, tabs }
    }

    fn options(&self) -> InteractiveBrowserCredentialOptions {
        InteractiveBrowserCredentialOptions {
            client_id: Some("client".into()),
            entra: EntraOptions {
                platform: Some(self.machine.platform.clone().with_http(self.entra.clone())),
                cache: Some(Cache::new(Default::default())),
                ..Default::default()
            },
            ..Default::default()
        }
    }

    fn credential(&self) -> Arc<InteractiveBrowserCredential> {
        InteractiveBrowserCredential::new(Some(self.options())).expect("valid")
    }

    fn opened(&self) -> Parameters {
        self.entra.opened.lock().expect("no panic").clone().expect("a page was opened")
    }

    /// What the browser was answered, in the order of its requests.
    async fn pages(&self) -> Vec<String> {
        let tabs = std::mem::take(&mut *self.tabs.lock().expect("no panic"));
        let mut pages = Vec::new();
        for mut tab in tabs {
            let mut page = String::new();
            tab.read_to_string(&mut page).await.expect("text");
            pages.push(page);
        }
        pages
    }
}

fn form_post(parameters: &[(&str, &str)]) -> String {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!(
        "POST / HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        ScriptedLoopback::FREE,
        body.len()
    )
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", ScriptedLoopback::FREE)
}

fn request() -> TokenRequest {
    TokenRequest::new(["https://vault.azure.net/.default"])
}

#[tokio::test]
async fn the_person_signs_in_and_is_told_to_return() {
    let desk = Desk::new(|opened| vec![form_post(&[("code", "c0de"), ("state", &opened["state"])])]);
    let credential = desk.credential();
    assert_eq!(credential.token(&request()).await.expect("a token").secret(), "t-1");
    let opened = desk.opened();
    for (name, value) in [
        ("client_id", "client"),
        ("response_type", "code"),
        ("response_mode", "form_post"),
        ("redirect_uri", "http://localhost:8400"),
        ("scope", "https://vault.azure.net/.default offline_access openid profile"),
        ("code_challenge_method", "S256"),
        ("prompt", "select_account"),
        ("client_info", "1"),
    ] {
        assert_eq!(opened[name], value);
    }
    assert!(!opened.contains_key("login_hint"));
    let sent = desk.entra.sent.lock().expect("no panic")[0].clone();
    assert_eq!((sent["grant_type"].as_str(), sent["code"].as_str()), ("authorization_code", "c0de"));
    assert_eq!(sent["redirect_uri"], "http://localhost:8400");
    assert!((43..=128).contains(&sent["code_verifier"].len()));
    assert!(!opened.values().any(|value| value.contains(&sent["code_verifier"])), "the page shows the verifier");
    let pages = desk.pages().await;
    assert!(pages[0].contains("You are signed in") && pages[0].contains("ada@contoso.com"), "{}", pages[0]);
    // At hand from now on.
    assert!(credential.at_hand(&["https://vault.azure.net/.default"], None, false).is_some());
}

#[tokio::test]
async fn nothing_but_the_answer_ends_the_wait() {
    let desk = Desk::new(|opened| {
        let state = &opened["state"];
        vec![
            String::new(),
            get("/favicon.ico"),
            form_post(&[("code", "forged"), ("state", "guessed")]),
            form_post(&[("error", "access_denied")]),
            get(&format!("/?code=forged&state={state}")).replace("localhost", "evil.example"),
            "OPTIONS / HTTP/1.1\r\nHost: localhost:8400\r\n\r\n".into(),
            "nonsense\r\n\r\n".into(),
            get(&format!("/?code=c0de&state={state}")),
        ]
    });
    assert!(desk.credential().token(&request()).await.is_ok());
    let statuses: Vec<_> =
        desk.pages().await.iter().map(|page| page.chars().skip(9).take(3).collect::<String>()).collect();
    assert_eq!(statuses[1..], ["404", "400", "400", "400", "405", "400", "200"]);
    assert_eq!(desk.entra.sent.lock().expect("no panic").len(), 1);
}

#[tokio::test]
async fn a_refusal_is_explained_to_the_person_and_to_the_program() {
    let desk = Desk::new(|opened| {
        let description = "AADSTS65004: User declined to consent to access the app. Trace ID: t-1 Correlation ID: c-1";
        let error = [("error", "access_denied"), ("error_description", description), ("state", &opened["state"])];
        vec![form_post(&error)]
    });
    let error = desk.credential().token(&request()).await.expect_err("declined");
    assert!(error.to_string().starts_with("InteractiveBrowserCredential: "), "{error}");
    assert_eq!(error.server_answer().and_then(|answer| answer.code.as_deref()), Some("AADSTS65004"));
    assert!(error.to_string().contains("authorize for client client"), "{error}");
    let pages = desk.pages().await;
    assert!(pages[0].contains("You are not signed in") && pages[0].contains("AADSTS65004"), "{}", pages[0]);
    assert!(desk.entra.sent.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn an_id_token_of_another_sign_in_is_refused() {
    let desk = Desk::new(|opened| vec![form_post(&[("code", "of another"), ("state", &opened["state"])])]);
    let error = desk.credential().token(&request()).await.expect_err("another's").to_string();
    assert!(error.contains("belongs to another sign-in"), "{error}");
    assert!(desk.pages().await[0].contains("You are not signed in"));
}

#[tokio::test]
async fn nobody_else_signs_in_for_who_is_recorded() {
    let desk = Desk::new(|opened| vec![form_post(&[("code", "c0de"), ("state", &opened["state"])])]);
    let record = AuthenticationRecord::new("t-2", "client", "login.microsoftonline.com", "u-2.t-2", "bob@contoso.com");
    let options =
        InteractiveBrowserCredentialOptions { authentication_record: Some(record.expect("valid")), ..desk.options() };
    let credential = InteractiveBrowserCredential::new(Some(options)).expect("valid");
    let error = credential.token(&request()).await.expect_err("Ada").to_string();
    assert!(error.contains("ada@contoso.com signed in, but this credential is for bob@contoso.com"), "{error}");
    assert_eq!(desk.opened()["login_hint"], "bob@contoso.com");
    assert!(desk.pages().await[0].contains("You are not signed in"));
    // Unless they are asked to.
    assert_eq!(credential.authenticate(None).await.expect("Ada").username(), "ada@contoso.com");
}

#[tokio::test]
async fn options_reach_the_page() {
    let desk = Desk::new(|opened| {
        vec![
            form_post(&[("code", "c0de"), ("state", &opened["state"])])
                .replace("POST /", "POST /sign/in")
                .replace("localhost:8400", "127.0.0.1:8765"),
        ]
    });
    let options = InteractiveBrowserCredentialOptions {
        tenant_id: Some("contoso.onmicrosoft.com".into()),
        redirect_uri: Some("http://127.0.0.1:8765/sign/in".into()),
        login_hint: Some("ada@contoso.com".into()),
        prompt: Some("login".into()),
        ..desk.options()
    };
    let credential = InteractiveBrowserCredential::new(Some(options)).expect("valid");
    let mut request = request();
    request.enable_cae = true;
    request.claims = Some(r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#.into());
    credential.token(&request).await.expect("a token");
    let opened = desk.opened();
    assert_eq!(opened["redirect_uri"], "http://127.0.0.1:8765/sign/in");
    assert_eq!((opened["login_hint"].as_str(), opened["prompt"].as_str()), ("ada@contoso.com", "login"));
    assert!(opened["claims"].contains("acrs") && opened["claims"].contains("CP1"), "{}", opened["claims"]);
    let page = desk.machine.processes.started()[0].arguments[0].to_string_lossy().into_owned();
    assert!(
        page.starts_with("https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/authorize?"),
        "{page}"
    );
}

#[tokio::test]
async fn whoever_does_not_come_back_is_not_waited_for_any_longer() {
    for (within_chain, outcome) in [(false, Outcome::Failed), (true, Outcome::Unavailable)] {
        let desk = Desk::new(|_| Vec::new());
        let mut request = request();
        request.within_chain = within_chain;
        let error = desk.credential().token(&request).await.expect_err("nobody");
        assert_eq!(error.outcome(), outcome);
        assert!(error.to_string().contains("within 300 s"), "{error}");
        assert!(error.remedy().is_some_and(|next| next.contains("DeviceCodeCredential")), "{error}");
    }
}

#[tokio::test]
async fn where_nothing_can_be_opened_or_heard_the_error_says_how_to_go_on() {
    let machine = Scripted::new(&[]);
    let entra = EntraOptions { platform: Some(machine.platform.clone()), ..Default::default() };
    let options = InteractiveBrowserCredentialOptions { entra: entra.clone(), ..Default::default() };
    let credential = InteractiveBrowserCredential::new(Some(options)).expect("valid");
    let error = credential.token(&request()).await.expect_err("no display");
    assert_eq!(error.outcome(), Outcome::Unavailable);
    assert!(error.to_string().contains("no web browser can be opened"), "{error}");
    machine.loopback.take(8765);
    let options = InteractiveBrowserCredentialOptions {
        redirect_uri: Some("http://localhost:8765".into()),
        entra,
        ..Default::default()
    };
    let credential = InteractiveBrowserCredential::new(Some(options)).expect("valid");
    let error = credential.token(&request()).await.expect_err("taken");
    assert_eq!(error.outcome(), Outcome::Unavailable);
    assert!(error.to_string().contains("port 8765 is in use by another program"), "{error}");
    assert!(machine.http.sent().is_empty() && machine.processes.started().is_empty());
}

#[test]
fn bad_options_are_refused_at_construction() {
    for (options, words) in [
        (
            InteractiveBrowserCredentialOptions {
                redirect_uri: Some("https://localhost:1".into()),
                ..Default::default()
            },
            "https URL",
        ),
        (
            InteractiveBrowserCredentialOptions {
                redirect_uri: Some("http://contoso.com:1".into()),
                ..Default::default()
            },
            "another machine",
        ),
        (InteractiveBrowserCredentialOptions { prompt: Some("maybe".into()), ..Default::default() }, "no prompt"),
        (
            InteractiveBrowserCredentialOptions { timeout: Some(Duration::ZERO), ..Default::default() },
            "timeout is zero",
        ),
        (
            InteractiveBrowserCredentialOptions { tenant_id: Some("a b".into()), ..Default::default() },
            "not a tenant id",
        ),
    ] {
        let error = InteractiveBrowserCredential::new(Some(options)).expect_err(words);
        assert!(error.is_invalid_argument() && error.to_string().contains(words), "{error}");
    }
}
