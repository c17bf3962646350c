//! What callers notice of a credential that asks a person.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::*;
use crate::credentials::EntraOptions;
use crate::entra::Proof;
use crate::platform::scripted::{Scripted, response};
use crate::platform::{HttpError, HttpResponse};
use crate::token::Fetched;

/// Who answers the next question, and what they bring; `None` for a person who declines.
type Answers = VecDeque<Option<(&'static str, &'static str)>>;

/// A person, scripted.
#[derive(Clone)]
struct Person {
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<Want>>>,
    /// Answers wait until they may.
    may: Arc<Semaphore>,
}

#[async_trait]
impl SignIn for Person {
    async fn sign_in(&self, client: &Client, want: &Want) -> Result<SignedIn, Error> {
        self.asked.lock().expect("no panic").push(want.clone());
        self.may.acquire().await.expect("open").forget();
        let answer = self.answers.lock().expect("no panic").pop_front().expect("an answer");
        let (who, token) = answer.ok_or_else(|| Error::failed("declined"))?;
        let record =
            AuthenticationRecord::new("t", &client.client_id, "login.microsoftonline.com", &format!("{who}.t"), who)?;
        let fetched = Fetched {
            token: Token::new(Zeroizing::new(token.into()), client.platform.clock().unix_time() + 3600, None),
            lifetime: Duration::from_secs(3600),
            refresh_in: None,
        };
        let refresh_token = Some(Zeroizing::new(format!("refresh-{token}")));
        let granted = Granted { fetched, refresh_token, id_token: None, client_info: None, granted_at: 0 };
        Ok(SignedIn { granted, record })
    }
}

struct Desk {
    machine: Scripted,
    cache: Arc<Cache>,
    person: Person,
}

type Answer = Result<HttpResponse, HttpError>;

impl Desk {
    fn new(
        answers: impl IntoIterator<Item = Option<(&'static str, &'static str)>>,
        http: impl IntoIterator<Item = Answer>,
    ) -> Self {
        let person = Person {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            asked: Arc::default(),
            may: Arc::new(Semaphore::new(100)),
        };
        Self { machine: Scripted::new(&[]).answers(http), cache: Cache::new(Default::default()), person }
    }

    fn session_of(&self, record: Option<AuthenticationRecord>, automatic: bool) -> Session {
        let options = EntraOptions { platform: Some(self.machine.platform.clone()), ..Default::default() };
        let client = Client::new("organizations", "client", Proof::None, &options).expect("valid");
        Session::new("TestCredential", client, self.person.clone(), record, automatic, Some(Arc::clone(&self.cache)))
    }

    fn session(&self) -> Session {
        self.session_of(None, true)
    }

    fn asked(&self) -> Vec<Want> {
        self.person.asked.lock().expect("no panic").clone()
    }
}

fn granted(token: &str) -> Answer {
    let body =
        serde_json::json!({"access_token": token, "expires_in": 3600, "refresh_token": format!("refresh-{token}")});
    Ok(response(200, &body.to_string()))
}

fn refused(code: u32, more: &str) -> Answer {
    let body = format!(r#"{{"error":"invalid_grant","error_description":"AADSTS{code}: no."{more}}}"#);
    Ok(response(400, &body))
}

fn request(scope: &str) -> TokenRequest {
    TokenRequest::new([scope])
}

async fn get(session: &Session, scope: &str) -> Result<String, String> {
    let outcome = session.token(&request(scope)).await;
    outcome.map(|token| token.secret().to_owned()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn the_person_is_asked_once_for_all_who_wait() {
    let desk = Desk::new([Some(("ada", "t-1"))], [granted("t-2")]);
    desk.person.may.forget_permits(100);
    let session = desk.session();
    // The third one lets the person answer when the others have asked.
    let (a, b, c, ()) = tokio::join!(get(&session, "a"), get(&session, "a"), get(&session, "b"), async {
        desk.person.may.add_permits(1);
    });
    assert_eq!((a, b), (Ok("t-1".into()), Ok("t-1".into())));
    // Another scope is served by the refresh token of the same sign-in.
    assert_eq!(c, Ok("t-2".into()));
    assert_eq!(desk.asked().len(), 1);
    assert!(desk.machine.http.sent()[0].body.contains("refresh_token=refresh-t-1"));
    assert!(session.at_hand(&["a"], None, false).is_some());
}

#[tokio::test]
async fn who_declines_is_not_asked_again_by_those_who_waited() {
    let desk = Desk::new([None], []);
    desk.person.may.forget_permits(100);
    let session = desk.session();
    let (a, b, ()) = tokio::join!(get(&session, "a"), get(&session, "b"), async {
        desk.person.may.add_permits(1);
    });
    assert_eq!(a, Err("TestCredential: declined".into()));
    assert_eq!(b, Err("TestCredential: declined".into()));
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test]
async fn who_comes_just_after_a_sign_in_looks_at_what_it_brought_first() {
    let desk = Desk::new([Some(("ada", "t-1"))], []);
    let session = desk.session();
    assert_eq!(get(&session, "a").await, Ok("t-1".into()));
    // Looked before the sign-in, and arrives to ask after it.
    let want = Want { request: request("b"), known: None };
    assert!(session.0.ask(&want, Some(0)).await.expect("no failure").is_none());
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test]
async fn nobody_is_asked_in_the_background() {
    let desk = Desk::new([Some(("ada", "t-1")), Some(("ada", "t-3"))], [refused(700_082, "")]);
    let session = desk.session();
    assert_eq!(get(&session, "a").await, Ok("t-1".into()));
    // Stale: what it has is handed out, and a new one is tried for with the refresh token alone.
    desk.machine.clock.advance(Duration::from_secs(55 * 60));
    assert_eq!(get(&session, "a").await, Ok("t-1".into()));
    while desk.machine.http.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(get(&session, "a").await, Ok("t-1".into()));
    assert_eq!(desk.asked().len(), 1);
    // Gone: now somebody waits, and is asked as who they were.
    desk.machine.clock.advance(Duration::from_secs(10 * 60));
    assert_eq!(get(&session, "a").await, Ok("t-3".into()));
    assert_eq!(desk.asked()[1].username(), Some("ada"));
}

#[tokio::test]
async fn nobody_becomes_somebody_else_unawares() {
    let desk = Desk::new(
        [Some(("ada", "t-1")), Some(("bob", "t-2")), Some(("bob", "t-3"))],
        [refused(50_173, ""), granted("t-4")],
    );
    let session = desk.session();
    assert_eq!(get(&session, "a").await, Ok("t-1".into()));
    let error = get(&session, "b").await.expect_err("another account");
    assert!(error.contains("bob signed in, but this credential is for ada"), "{error}");
    assert_eq!(get(&session, "a").await, Ok("t-1".into()));
    // Unless that is what was wanted.
    let record = session.authenticate(Some(request("b"))).await.expect("a record");
    assert_eq!(record.username(), "bob");
    assert_eq!(desk.asked()[2].username(), None);
    assert_eq!(get(&session, "b").await, Ok("t-3".into()));
    assert_eq!(get(&session, "a").await, Ok("t-4".into()), "nothing of Ada's is left");
}

#[tokio::test]
async fn authenticate_asks_even_who_is_signed_in() {
    let desk = Desk::new([Some(("ada", "t-1")), Some(("ada", "t-2"))], []);
    let session = desk.session();
    let record = session.authenticate(None).await.expect("a record");
    assert_eq!(record.home_account_id(), "ada.t");
    session.authenticate(None).await.expect("a record");
    assert_eq!(desk.asked().len(), 2);
    assert_eq!(desk.asked()[0].request, request("https://management.core.windows.net//.default"));
}

#[tokio::test]
async fn objects_share_an_account_and_nothing_before_it_is_known() {
    let desk = Desk::new([Some(("ada", "t-1")), Some(("bob", "t-2"))], [granted("t-3"), granted("t-4")]);
    let (one, two) = (desk.session(), desk.session());
    assert_eq!(get(&one, "a").await, Ok("t-1".into()));
    assert_eq!(get(&two, "a").await, Ok("t-2".into()));
    // A record names the account from the start: its tokens, and what renews them.
    let record = |who: &str| {
        AuthenticationRecord::new("t", "client", "login.microsoftonline.com", &format!("{who}.t"), who).expect("valid")
    };
    let (ada, bob) = (desk.session_of(Some(record("ada")), true), desk.session_of(Some(record("bob")), true));
    assert_eq!(ada.at_hand(&["a"], None, false).expect("at hand").secret(), "t-1");
    assert_eq!(get(&bob, "b").await, Ok("t-3".into()));
    assert!(desk.machine.http.sent()[0].body.contains("refresh_token=refresh-t-2"));
    assert_eq!(get(&ada, "b").await, Ok("t-4".into()));
    assert!(desk.machine.http.sent()[1].body.contains("refresh_token=refresh-t-1"));
    assert_eq!(desk.asked().len(), 2);
}

#[tokio::test]
async fn a_record_without_a_refresh_token_asks_that_person() {
    let desk = Desk::new([Some(("ada", "t-1"))], []);
    let record = AuthenticationRecord::new("t", "client", "login.microsoftonline.com", "ada.t", "ada").expect("valid");
    assert_eq!(get(&desk.session_of(Some(record), true), "a").await, Ok("t-1".into()));
    assert_eq!(desk.asked()[0].username(), Some("ada"));
}

#[tokio::test]
async fn who_must_not_ask_says_what_to_ask_for() {
    let claims = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    let demand = format!(r#","suberror":"basic_action","claims":{}"#, serde_json::json!(claims));
    let desk = Desk::new([Some(("ada", "t-1"))], [refused(50_076, &demand)]);
    let session = desk.session_of(None, false);
    let error = session.token(&request("a")).await.expect_err("nobody is asked");
    assert_eq!(error.outcome(), Outcome::InteractionRequired);
    assert_eq!(error.authentication_request(), Some(&request("a")));
    assert!(desk.asked().is_empty());
    session.authenticate(error.authentication_request().cloned()).await.expect("a record");
    assert_eq!(get(&session, "a").await, Ok("t-1".into()));
    // What the server demanded for another scope comes along.
    let error = session.token(&request("b")).await.expect_err("nobody is asked");
    let mut expected = request("b");
    expected.claims = Some(claims.into());
    assert_eq!(error.authentication_request(), Some(&expected));
    assert!(error.to_string().contains("AADSTS50076"), "{error}");
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test]
async fn claims_go_to_the_refresh_token_first_and_then_to_the_person() {
    let desk = Desk::new([Some(("ada", "t-1")), Some(("ada", "t-3"))], [granted("t-2"), refused(50_076, "")]);
    let session = desk.session();
    assert_eq!(get(&session, "a").await, Ok("t-1".into()));
    let mut challenged = request("a");
    challenged.claims = Some(r#"{"access_token":{"nbf":{"essential":true}}}"#.into());
    assert_eq!(session.token(&challenged).await.expect("a token").secret(), "t-2");
    assert!(desk.machine.http.sent()[0].body.contains("claims=%7B%22access_token%22"));
    assert_eq!(session.token(&challenged).await.expect("a token").secret(), "t-3");
    assert_eq!(desk.asked()[1].request.claims, challenged.claims);
    // The one that satisfied the challenge took the place of the one that did not.
    assert_eq!(get(&session, "a").await, Ok("t-3".into()));
}

#[tokio::test]
async fn what_fails_without_a_person_is_not_asked_of_one() {
    let desk = Desk::new([Some(("ada", "t-1"))], [Ok(response(400, r#"{"error":"invalid_scope"}"#))]);
    let session = desk.session();
    assert_eq!(get(&session, "a").await, Ok("t-1".into()));
    get(&session, "b").await.expect_err("no such scope");
    assert_eq!(desk.asked().len(), 1);
    for (bad, words) in [(TokenRequest::default(), "at least one scope"), (request("a b"), "not a scope")] {
        let error = session.token(&bad).await.expect_err(words);
        assert!(error.is_invalid_argument() && error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn clearing_the_cache_signs_everybody_out() {
    let desk = Desk::new([Some(("ada", "t-1")), Some(("ada", "t-2"))], []);
    let session = desk.session();
    assert_eq!(get(&session, "a").await, Ok("t-1".into()));
    desk.cache.clear();
    assert_eq!(get(&session, "a").await, Ok("t-2".into()));
    assert!(desk.machine.http.sent().is_empty());
}
