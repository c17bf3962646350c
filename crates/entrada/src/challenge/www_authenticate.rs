//! The header `WWW-Authenticate` (RFC 9110, section 11.6.1): one or more challenges.
//!
//! Strict, but for what Azure Storage writes: URLs without quotes, and spaces in place of commas.

/// No real header is longer, in bytes: the claims of conditional access take one or two thousand.
const LONGEST: usize = 32 << 10;
const MOST_CHALLENGES: usize = 16;
const MOST_PARAMETERS: usize = 32;

/// One challenge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// The scheme, as it was written.
    scheme: String,
    /// What stands in place of parameters in some schemes.
    token68: Option<String>,
    /// Names in lower case, and values.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Whether it is of a scheme.
    pub(crate) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

/// Reads a header; `None` for one that is malformed or out of all bounds.
pub(crate) fn parse(header: &str) -> Option<Vec<Challenge>> {
    if header.len() > LONGEST {
        return None;
    }
    let mut reader = Reader { rest: header };
    let mut challenges = Vec::new();
    loop {
        reader.skip(|c| is_space(c) || c == ',');
        if reader.rest.is_empty() {
            return Some(challenges);
        }
        if challenges.len() == MOST_CHALLENGES {
            return None;
        }
        challenges.push(reader.challenge()?);
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn skip(&mut self, unwanted: impl Fn(char) -> bool) -> bool {
        !self.take(unwanted).is_empty()
    }

    fn skip_char(&mut self, wanted: char) -> bool {
        self.rest.strip_prefix(wanted).inspect(|rest| self.rest = rest).is_some()
    }

    fn is_at_end(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with(',')
    }

    fn challenge(&mut self) -> Option<Challenge> {
        let scheme = self.take(is_token);
        if scheme.is_empty() {
            return None;
        }
        let mut challenge = Challenge { scheme: scheme.to_owned(), ..Challenge::default() };
        let apart = self.skip(is_space);
        if self.is_at_end() {
            return Some(challenge);
        }
        if !apart {
            return None;
        }
        challenge.token68 = self.token68();
        if challenge.token68.is_none() {
            self.parameters(&mut challenge)?;
        }
        Some(challenge)
    }

    /// A token68, where there is one up to the end of the challenge.
    fn token68(&mut self) -> Option<String> {
        let before = self.rest;
        let taken = self.take(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c)).len();
        let padded = taken + self.take(|c| c == '=').len();
        self.skip(is_space);
        if taken > 0 && self.is_at_end() {
            return Some(before[..padded].to_owned());
        }
        self.rest = before;
        None
    }

    /// Parameters up to the next challenge.
    fn parameters(&mut self, challenge: &mut Challenge) -> Option<()> {
        let mut apart = true;
        loop {
            let before = self.rest;
            let name = self.take(is_token);
            self.skip(is_space);
            if name.is_empty() || !self.skip_char('=') {
                // It is the scheme of the next challenge, which a comma must come before.
                self.rest = before;
                return (!name.is_empty() && !challenge.parameters.is_empty() && apart).then_some(());
            }
            self.skip(is_space);
            let value = if self.skip_char('"') { self.quoted()? } else { self.bare()? };
            if challenge.parameters.len() == MOST_PARAMETERS || challenge.parameter(name).is_some() {
                return None;
            }
            challenge.parameters.push((name.to_ascii_lowercase(), value));
            let spaces = self.skip(is_space);
            apart = self.skip(|c| is_space(c) || c == ',');
            if self.rest.is_empty() {
                return Some(());
            }
            if !spaces && !apart {
                return None;
            }
        }
    }

    /// The rest of a quoted string (RFC 9110, section 5.6.4).
    fn quoted(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut characters = self.rest.chars();
        loop {
            let next = match characters.next()? {
                '"' => break,
                '\\' => characters.next()?,
                other => other,
            };
            if next.is_control() && next != '\t' {
                return None;
            }
            value.push(next);
        }
        self.rest = characters.as_str();
        Some(value)
    }

    /// A value without quotes: a token, or a URL as Azure Storage writes it.
    fn bare(&mut self) -> Option<String> {
        let value = self.take(|c| c.is_ascii_graphic() && !"\",\\".contains(c));
        (!value.is_empty()).then(|| value.to_owned())
    }
}

fn is_space(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// RFC 9110, section 5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn challenge(scheme: &str, parameters: &[(&str, &str)]) -> Challenge {
        let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Challenge { scheme: scheme.into(), token68: None, parameters }
    }

    #[test]
    fn what_azure_sends_is_read() {
        for (header, expected) in [
            (
                r#"Bearer authorization="https://login.microsoftonline.com/t-1", resource="https://vault.azure.net""#,
                challenge(
                    "Bearer",
                    &[
                        ("authorization", "https://login.microsoftonline.com/t-1"),
                        ("resource", "https://vault.azure.net"),
                    ],
                ),
            ),
            (
                "Bearer authorization_uri=https://login.microsoftonline.com/t-1/oauth2/authorize resource_id=https://storage.azure.com",
                challenge(
                    "Bearer",
                    &[
                        ("authorization_uri", "https://login.microsoftonline.com/t-1/oauth2/authorize"),
                        ("resource_id", "https://storage.azure.com"),
                    ],
                ),
            ),
            (
                r#"Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ==""#,
                challenge(
                    "Bearer",
                    &[
                        ("realm", ""),
                        ("authorization_uri", "https://login.microsoftonline.com/common/oauth2/authorize"),
                        ("client_id", "00000003-0000-0000-c000-000000000000"),
                        ("error", "insufficient_claims"),
                        ("claims", "eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="),
                    ],
                ),
            ),
        ] {
            assert_eq!(parse(header), Some(vec![expected]), "{header}");
        }
    }

    #[test]
    fn several_challenges_are_told_apart() {
        // The example of RFC 9110, section 11.6.1.
        let header = r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#;
        let expected = vec![
            challenge("Basic", &[("realm", "simple")]),
            challenge("Newauth", &[("realm", "apps"), ("type", "1"), ("title", r#"Login to "apps""#)]),
        ];
        assert_eq!(parse(header), Some(expected));
        let negotiate = Challenge { token68: Some("YII=".into()), ..challenge("Negotiate", &[]) };
        let expected = vec![challenge("NTLM", &[]), negotiate, challenge("Bearer", &[("error", "x")])];
        assert_eq!(
            parse(", NTLM ,, Negotiate YII= , BEARER Error = x".replace("BEARER", "Bearer").as_str()),
            Some(expected)
        );
        assert_eq!(parse(""), Some(vec![]));
    }

    #[test]
    fn what_is_malformed_is_not_guessed_at() {
        let many = "Bearer a=b, ".repeat(MOST_CHALLENGES + 1);
        let long = format!("Bearer a={}", "b".repeat(LONGEST));
        for header in [
            r#"Bearer a="open"#,
            r#"Bearer a="\"#,
            "Bearer a=1, a=2",
            "Bearer a=1, A=2",
            "Bearer =1",
            "Bearer a=1 Basic realm=2",
            r#"Bearer a="b"c="d""#,
            "Bearer a=\u{e4}",
            "\"Bearer\"",
            "Bearer a=\"line\nend\"",
            "B\u{e4}rer",
            &many,
            &long,
        ] {
            assert_eq!(parse(header), None, "{header:.80}");
        }
    }

    fn written(challenges: &[Challenge]) -> String {
        let one = |challenge: &Challenge| match &challenge.token68 {
            Some(token68) => format!("{} {token68}", challenge.scheme),
            None => {
                let quoted = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"");
                let parameters: Vec<_> =
                    challenge.parameters.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value))).collect();
                format!("{} {}", challenge.scheme, parameters.join(", ")).trim_end().to_owned()
            }
        };
        challenges.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn any_challenge() -> impl Strategy<Value = Challenge> {
        let parameters = proptest::collection::btree_map("[a-z_!]{1,8}", r#"[ -~ä\t]{0,20}"#, 0..5);
        let token68 = proptest::option::of("[A-Za-z0-9._~+/-]{1,12}={0,2}");
        ("[A-Za-z][A-Za-z0-9-]{0,10}", parameters, token68).prop_map(|(scheme, parameters, token68)| Challenge {
            scheme,
            parameters: if token68.is_some() { Vec::new() } else { parameters.into_iter().collect() },
            token68,
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(challenges in proptest::collection::vec(any_challenge(), 0..5)) {
            prop_assert_eq!(parse(&written(&challenges)), Some(challenges));
        }

        #[test]
        fn nothing_makes_it_panic(header in r#"([A-Za-z=", \\/]|.){0,80}"#) {
            if let Some(challenges) = parse(&header) {
                prop_assert!(challenges.len() <= MOST_CHALLENGES);
                for challenge in challenges {
                    prop_assert!(!challenge.scheme.is_empty() && challenge.parameters.len() <= MOST_PARAMETERS);
                    prop_assert!(challenge.token68.is_none() || challenge.parameters.is_empty());
                }
            }
        }
    }
}
