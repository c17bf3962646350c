//! What callers notice of the cache, by example.

use std::time::Duration;

use super::desk::{Answer, Desk, named, outcome};
use super::*;

const REFUSED: Answer = Answer::Failure("refused");

fn hour() -> Desk {
    Desk::new(Answer::token(3600))
}

#[test]
fn a_stampede_makes_one_request() {
    let desk = hour();
    // Fifty objects that are constructed alike, and four callers each.
    let credentials: Vec<_> = (0..50).map(|_| desk.credential("me")).collect();
    let mut callers: Vec<_> =
        credentials.iter().flat_map(|credential| (0..4).map(|_| desk.waiting(credential))).collect();
    assert_eq!(desk.fetches(), 1);
    assert!(callers.iter().all(|caller| !caller.is_due()));
    desk.answer_all();
    for caller in &mut callers {
        assert!(caller.is_due(), "it was not woken");
        assert_eq!(outcome(caller), Ok("me-1".into()));
    }
    assert_eq!(desk.fetches(), 1);
}

#[test]
fn a_failure_is_shared_and_not_remembered() {
    let desk = hour();
    let credential = desk.credential("me");
    let mut callers: Vec<_> = (0..20).map(|_| desk.waiting(&credential)).collect();
    desk.answer(0, REFUSED);
    for caller in &mut callers {
        assert_eq!(outcome(caller), Err("refused".into()));
    }
    assert_eq!(desk.fetches(), 1);
    assert_eq!(desk.get(&credential), Ok("me-2".into()));
}

#[test]
fn who_gives_up_takes_nobody_along() {
    let desk = hour();
    let credential = desk.credential("me");
    let first = desk.waiting(&credential);
    let mut second = desk.waiting(&credential);
    drop(first);
    desk.answer_all();
    assert_eq!(outcome(&mut second), Ok("me-1".into()));
    assert_eq!(desk.fetches(), 1);
}

#[test]
fn what_nobody_waits_for_any_more_is_kept() {
    let desk = hour();
    let credential = desk.credential("me");
    drop(desk.waiting(&credential));
    desk.answer_all();
    assert_eq!(desk.get(&credential), Ok("me-1".into()));
}

#[test]
fn what_differs_is_never_shared() {
    let desk = hour();
    assert_eq!(desk.get(&desk.credential("me")), Ok("me-1".into()));
    assert_eq!(desk.get(&desk.credential("you")), Ok("you-2".into()));
    let mut cae = TokenRequest::new(["s"]);
    cae.enable_cae = true;
    assert_eq!(desk.get_as(&desk.credential("me"), cae), Ok("me-3".into()));
    assert_eq!(desk.get(&desk.credential("me")), Ok("me-1".into()));
}

#[test]
fn a_new_object_finds_what_another_one_fetched() {
    let desk = hour();
    assert!(desk.credential("me").at_hand(&["s"], None, false).is_none());
    assert_eq!(desk.get(&desk.credential("me")), Ok("me-1".into()));
    let token = desk.credential("me").at_hand(&["s"], None, false).expect("at hand");
    assert_eq!(token.secret(), "me-1");
    assert!(desk.credential("me").at_hand(&[], None, false).is_none(), "checked all the same");
}

#[test]
fn one_of_many_is_at_hand_as_one_of_few_is() {
    let desk = hour();
    let credential = desk.credential("me");
    let scopes: Vec<String> = (0..4 * REMEMBERED).map(|number| number.to_string()).collect();
    let at_hand = |scope: &str| {
        let token = credential.at_hand(&[scope], None, false);
        token.map(|token| token.secret().to_owned())
    };
    let named = |number: usize| format!("me-{}", number + 1);
    for (number, scope) in scopes.iter().enumerate() {
        assert!(at_hand(scope).is_none());
        assert_eq!(desk.get_as(&credential, TokenRequest::new([scope])), Ok(named(number)));
    }
    for (number, scope) in scopes.iter().enumerate() {
        assert_eq!(at_hand(scope), Some(named(number)));
    }
    let last = scopes.last().expect("many");
    assert!(credential.at_hand(&[last], Some("t"), false).is_none(), "another tenant's");
    assert!(credential.at_hand(&[last], None, true).is_none(), "of another kind");
    assert!(credential.at_hand(&[], None, false).is_none(), "checked all the same");
    // Stale: it is returned, and another one fetched.
    desk.advance(3600 - 300);
    assert_eq!(at_hand(last), Some(named(scopes.len() - 1)));
    desk.answer_all();
    assert_eq!(at_hand(last), Some(named(scopes.len())));
}

#[test]
fn a_stale_token_is_returned_at_once_and_replaced_behind_the_caller() {
    let desk = hour();
    let credential = desk.credential("me");
    assert_eq!(desk.get(&credential), Ok("me-1".into()));
    desk.advance(3600 - 300);
    for _ in 0..5 {
        assert_eq!(desk.get(&credential), Ok("me-1".into()));
    }
    desk.answer_all();
    assert_eq!(desk.get(&credential), Ok("me-2".into()));
    assert_eq!(desk.fetches(), 2);
}

#[test]
fn a_refresh_that_fails_rests_and_the_token_stays() {
    let desk = hour();
    let credential = desk.credential("me");
    assert_eq!(desk.get(&credential), Ok("me-1".into()));
    desk.usual(Answer::Failure("down"));
    // The last minute: the caller waits for the refresh, and gets the old token all the same.
    desk.advance(3600 - 50);
    assert_eq!(desk.get(&credential), Ok("me-1".into()));
    assert_eq!(desk.fetches(), 2);
    for _ in 0..10 {
        assert_eq!(desk.get(&credential), Ok("me-1".into()));
    }
    assert_eq!(desk.fetches(), 2, "it rests");
    desk.advance(31);
    assert_eq!(desk.get(&credential), Ok("me-1".into()));
    assert_eq!(desk.fetches(), 3, "it has rested");
    desk.advance(20);
    assert_eq!(desk.get(&credential), Err("down".into()), "expired");
}

#[test]
fn no_rest_is_longer_than_ten_minutes() {
    let day = 24 * 3600;
    let desk = Desk::new(Answer::token(day));
    let credential = desk.credential("me");
    assert_eq!(desk.get(&credential), Ok("me-1".into()));
    desk.advance(day / 2);
    desk.usual(Answer::Failure("down"));
    for failures in 1..20 {
        assert_eq!(desk.get(&credential), Ok("me-1".into()));
        assert_eq!(desk.fetches(), 1 + failures);
        desk.answer_all();
        desk.advance(600);
    }
}

#[test]
fn who_comes_too_late_for_what_landed_asks_again() {
    let desk = hour();
    let credential = desk.credential("me");
    let mut late = desk.waiting(&credential);
    desk.answer_all();
    desk.advance(3600);
    assert!(late.poll().is_pending(), "it must not get what has expired");
    desk.answer_all();
    assert_eq!(outcome(&mut late), Ok("me-2".into()));
}

#[test]
fn a_short_token_is_not_fetched_anew_for_each_caller() {
    let desk = Desk::new(Answer::token(240));
    let credential = desk.credential("me");
    for _ in 0..10 {
        assert_eq!(desk.get(&credential), Ok("me-1".into()));
    }
    assert_eq!(desk.fetches(), 1);
}

#[test]
fn a_claims_challenge_replaces_the_token_for_everybody() {
    let desk = hour();
    let credential = desk.credential("me");
    let other = desk.credential("me");
    assert_eq!(desk.get(&credential), Ok("me-1".into()));
    assert_eq!(desk.get(&other), Ok("me-1".into()));
    let mut challenged = TokenRequest::new(["s"]);
    challenged.claims = Some("{}".into());
    assert_eq!(desk.get_as(&credential, challenged.clone()), Ok("me-2".into()));
    assert_eq!(desk.get(&other), Ok("me-2".into()));
    desk.usual(REFUSED);
    assert_eq!(desk.get_as(&credential, challenged), Err("refused".into()), "no way back");
}

#[test]
fn another_account_is_another_token() {
    let desk = hour();
    let credential = desk.credential("me");
    assert_eq!(desk.get(&credential), Ok("me-1".into()));
    desk.change_account();
    assert_eq!(desk.get(&credential), Ok("me-2".into()));
}

#[test]
fn a_panic_is_an_error() {
    let desk = Desk::new(Answer::Panic);
    let credential = desk.credential("me");
    let error = desk.get(&credential).expect_err("a panic");
    assert!(error.contains("panicked"), "{error}");
    desk.usual(Answer::token(3600));
    assert_eq!(desk.get(&credential), Ok("me-2".into()));
}

#[test]
fn one_slow_key_delays_no_other() {
    let desk = hour();
    let mut slow = desk.waiting(&desk.credential("slow"));
    let mut quick = desk.waiting(&desk.credential("quick"));
    assert_eq!(desk.fetches(), 2);
    let second = desk.running(|running| running.iter().position(|fetch| fetch.who == "quick"));
    desk.answer(second.expect("under way"), Answer::token(3600));
    assert_eq!(outcome(&mut quick), Ok("quick-2".into()));
    assert!(!slow.is_due());
    desk.answer_all();
    assert_eq!(outcome(&mut slow), Ok("slow-1".into()));
}

#[test]
fn a_child_of_a_fork_fetches_for_itself() {
    let desk = hour();
    let credential = desk.credential("me");
    let mut parents = desk.waiting(&credential);
    assert_eq!(desk.fetches(), 1);
    desk.fork();
    let mut childs = desk.waiting(&credential);
    assert_eq!(desk.fetches(), 2);
    let error = outcome(&mut parents).expect_err("it would wait for ever");
    assert!(error.contains("forked"), "{error}");
    desk.answer_all();
    assert_eq!(outcome(&mut childs), Ok("me-2".into()));
}

#[test]
fn a_thread_without_a_runtime_can_wait() {
    struct Wrapper(Arc<Cached>);
    impl fmt::Debug for Wrapper {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Wrapper")
        }
    }
    #[async_trait]
    impl Credential for Wrapper {
        fn name(&self) -> &str {
            "Wrapper"
        }
        async fn token(&self, request: &TokenRequest) -> Result<Arc<Token>, Error> {
            self.0.token(request).await
        }
    }
    let desk = hour();
    let fetch = Fetch::start(Arc::new(Wrapper(desk.credential("me"))), TokenRequest::new(["s"]));
    desk.run();
    assert!(fetch.wait_blocking(Duration::from_millis(1)).is_none());
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| fetch.wait_blocking(Duration::MAX));
        desk.answer_all();
        let landing = thread.join().expect("no panic").expect("an outcome");
        assert_eq!(named(landing), Ok("me-1".into()));
    });
}
