//! What arrives at the listener that waits for a browser.

use super::check;
use crate::entra::refusal_of;
use crate::platform::LoopbackHost;
use crate::sign_in::redirect_request::{Answer, Arrived, Expected, LARGEST_BODY, LARGEST_HEAD, read};

const STATE: &str = "St8Xm3Qv7Zk2";
const OTHER_STATE: &str = "Ot5Hr9Wd4Nb6";

fn expected(state: &str) -> Expected {
    Expected { host: LoopbackHost::Localhost, port: 8400, path: "/".into(), state: state.into() }
}

/// A request: it counts as the answer only with the state of this sign-in, and a request that was turned away when a part
/// of it had arrived is not taken when all of it has.
pub fn redirect_request(data: &[u8]) {
    let arrived = read(data, &expected(STATE));
    for part in [data.len() / 2, data.len().saturating_sub(1)] {
        if let Arrived::Other(early) = read(&data[..part], &expected(STATE)) {
            assert!(matches!(arrived, Arrived::Other(_)), "refused as {early:?}, and then taken");
        }
    }
    match arrived {
        Arrived::Part => assert!(data.len() <= LARGEST_HEAD + LARGEST_BODY, "more is waited for without an end"),
        Arrived::Other(refusal) => {
            assert!((400..500).contains(&refusal.status) && !refusal.why.is_empty(), "{refusal:?}");
        }
        Arrived::Answer(answer) => {
            assert!(
                !matches!(read(data, &expected(OTHER_STATE)), Arrived::Answer(_)),
                "the answer of one sign-in is that of another"
            );
            match answer {
                Answer::Code(code) => assert!(!code.is_empty(), "an empty code"),
                Answer::Refused { error, description } => check::error(&refusal_of(&error, &description), data, &[]),
            }
        }
    }
}
