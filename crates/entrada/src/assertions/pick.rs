//! Taking an assertion out of what somebody said: the whole text, or a text within JSON.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::Error;

/// Refuses what is no JSON pointer (RFC 6901, section 3).
pub(super) fn check_pointer(pointer: Option<&str>) -> Result<(), Error> {
    match pointer.filter(|pointer| !pointer.starts_with('/')) {
        None => Ok(()),
        Some(pointer) => {
            Err(Error::invalid_argument(format!("{pointer:?} is not a JSON pointer: it must begin with /"))
                .next("write /token for the field \"token\", /a/b for \"b\" within \"a\" (RFC 6901)"))
        }
    }
}

/// The text at a pointer, or all of it; without white space around it. Otherwise what there is instead, in words.
pub(super) fn pick(content: &[u8], pointer: Option<&str>) -> Result<Zeroizing<String>, String> {
    let Some(pointer) = pointer else {
        let text = std::str::from_utf8(content).map_err(|_| "something other than text")?;
        return Ok(Zeroizing::new(text.trim().to_owned()));
    };
    let mut value: Value = serde_json::from_slice(content).map_err(|_| "something other than JSON")?;
    match value.pointer_mut(pointer).map(Value::take) {
        Some(Value::String(text)) => {
            let text = Zeroizing::new(text);
            Ok(Zeroizing::new(text.trim().to_owned()))
        }
        Some(_) => Err(format!("something other than text at {pointer}")),
        None => Err(format!("nothing at {pointer}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_there_instead_is_told() {
        let pick = |content: &[u8], pointer| pick(content, pointer).map(|text| text.as_str().to_owned());
        assert_eq!(pick(b" a.b.c\r\n", None), Ok("a.b.c".into()));
        assert_eq!(pick(br#"{"a":[{"b":" t "}]}"#, Some("/a/0/b")), Ok("t".into()));
        assert_eq!(pick(br#"{"a/b":"t"}"#, Some("/a~1b")), Ok("t".into()));
        for (content, pointer, words) in [
            (&b"\xff"[..], None, "other than text"),
            (b"hunter2", Some("/a"), "other than JSON"),
            (br#"{"a":1}"#, Some("/a"), "other than text at /a"),
            (br#"{"a":1}"#, Some("/b"), "nothing at /b"),
        ] {
            let what = pick(content, pointer).expect_err(words);
            assert!(what.contains(words) && !what.contains("hunter2"), "{what}");
        }
        assert!(check_pointer(Some("/a")).is_ok() && check_pointer(None).is_ok());
        assert!(check_pointer(Some("a")).expect_err("no pointer").is_invalid_argument());
        assert!(check_pointer(Some("")).is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(content in any::<Vec<u8>>(), json in r#"[\[\]{}"a:,0]{0,40}"#, pointer in "[/a0~-]{0,8}") {
            for content in [&content[..], json.as_bytes()] {
                let _ = pick(content, None);
                let _ = pick(content, Some(&pointer));
            }
        }
    }
}
