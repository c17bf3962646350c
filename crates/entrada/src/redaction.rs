//! Taking a secret out of somebody else's words: a server, or a proxy in its place, may repeat the request.

use zeroize::Zeroizing;

/// Shorter ones cannot be told from ordinary text; nothing that guards anything is so short.
const SHORTEST: usize = 4;
const SHOWN: &str = "***";

/// A secret, in the forms in which it may come back.
pub(crate) struct Redaction(Vec<Zeroizing<String>>);

impl Redaction {
    /// As it was given, as a form and as JSON write it; and each of them as
    /// [`excerpt`](crate::token_answer::excerpt) shortens text, with one space for many.
    pub(crate) fn of(secret: &str) -> Self {
        if secret.len() < SHORTEST {
            return Self(Vec::new());
        }
        let in_a_form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let in_json = Zeroizing::new(serde_json::Value::from(secret).to_string());
        let in_json = in_json.trim_start_matches('"').trim_end_matches('"').to_owned();
        let mut forms = vec![secret.to_owned(), in_a_form, in_json];
        for form in 0..forms.len() {
            let words: Vec<_> = forms[form].split(|c: char| c.is_whitespace() || c.is_control()).collect();
            let spaced = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            forms.push(spaced);
        }
        let mut forms: Vec<_> = forms.into_iter().map(Zeroizing::new).filter(|form| form.len() >= SHORTEST).collect();
        // The longer ones first: a shorter one may be a part of them.
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self(forms)
    }

    /// Takes it out of a text, also where the text was cut off in the middle of it.
    pub(crate) fn apply(&self, text: &mut String) {
        for form in &self.0 {
            if text.contains(&***form) {
                *text = text.replace(&***form, SHOWN);
            }
            if text.contains('…') {
                let mut pieces: Vec<_> = text.split('…').map(str::to_owned).collect();
                let last = pieces.len() - 1;
                pieces[..last].iter_mut().for_each(|piece| take_the_start_of(form, piece));
                *text = pieces.join("…");
            }
        }
    }

    /// Whether it is in a text.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.0.iter().any(|form| text.contains(&***form))
    }
}

/// Takes the start of a secret from the end of a text that was cut off there.
fn take_the_start_of(form: &str, text: &mut String) {
    let cuts = form.char_indices().map(|(at, _)| at).filter(|at| *at >= SHORTEST).rev();
    if let Some(kept) = cuts.map(|at| &form[..at]).find_map(|start| text.strip_suffix(start)) {
        *text = format!("{kept}{SHOWN}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token_answer::excerpt;

    fn without(secret: &str, text: &str) -> String {
        let mut text = text.to_owned();
        Redaction::of(secret).apply(&mut text);
        text
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secret = "a \"b\"  +c/d";
        assert_eq!(without(secret, "got a \"b\"  +c/d, sorry"), "got ***, sorry");
        assert_eq!(without(secret, "got a+%22b%22++%2Bc%2Fd, sorry"), "got ***, sorry");
        assert_eq!(without(secret, r#"{"got":"a \"b\"  +c/d"}"#), r#"{"got":"***"}"#);
        assert_eq!(without(secret, &excerpt("got\n a \"b\"  +c/d, sorry")), "got ***, sorry");
        assert_eq!(without("abc", "the abc"), "the abc");
        assert_eq!(without("", "nothing"), "nothing");
    }

    #[test]
    fn a_secret_that_was_cut_off_is_not_begun() {
        let secret = "K8s~q.Xv3Lw0Zt7Rb5Yn";
        for padding in 360..420 {
            let shown = without(secret, &excerpt(&format!("{} {secret} and more words", "w".repeat(padding))));
            assert!(!shown.contains("K8s~"), "{padding}: {shown}");
        }
        assert_eq!(without("äöü-äöü", "is äöü…"), "is ***…");
        // What is told of an answer may be cut off in several places.
        assert_eq!(without(secret, "7 bytes of K8s~q.X…: it is K8s~q.Xv3… and"), "7 bytes of ***…: it is ***… and");
    }
}
