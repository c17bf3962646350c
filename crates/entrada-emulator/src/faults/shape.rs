//! Changing the answer of a token endpoint.

use super::{ExpiryType, TokenShape};

impl TokenShape {
    /// Finishes an answer whose times are numbers: writes them as `usual`, unless the rule says otherwise.
    pub(crate) fn apply(&self, answer: &mut serde_json::Map<String, serde_json::Value>, usual: ExpiryType) {
        for name in ["expires_in", "expires_on", "ext_expires_in", "not_before"] {
            let Some(seconds) = answer.get(name).and_then(serde_json::Value::as_i64) else { continue };
            let written = match self.types.filter(|_| name != "not_before").unwrap_or(usual) {
                ExpiryType::Text => seconds.to_string().into(),
                ExpiryType::Float => (seconds as f64).into(),
                ExpiryType::Date if name == "expires_on" => crate::clock::iso_time(seconds).into(),
                ExpiryType::UsDate if name == "expires_on" => crate::clock::us_time(seconds).into(),
                ExpiryType::Number | ExpiryType::Date | ExpiryType::UsDate => seconds.into(),
            };
            answer.insert(name.into(), written);
        }
        if let Some(refresh_in) = self.refresh_in {
            answer.insert("refresh_in".into(), refresh_in.into());
        }
        for (name, value) in &self.set {
            answer.insert(name.clone(), value.clone());
        }
        for name in &self.omit {
            answer.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExpiryType, TokenShape};
    use serde_json::json;

    #[test]
    fn token_answers_take_the_types_asked_for() {
        let written = |types, usual| {
            let mut answer = json!({"access_token": "t", "expires_in": 60, "expires_on": 86_400, "not_before": 5});
            let shape = TokenShape {
                types,
                omit: vec!["access_token".into()],
                set: [("resource".to_owned(), 5.into())].into(),
                ..TokenShape::default()
            };
            shape.apply(answer.as_object_mut().expect("object"), usual);
            answer
        };
        for (types, expires_in, expires_on) in [
            (None, json!("60"), json!("86400")),
            (Some(ExpiryType::Number), json!(60), json!(86_400)),
            (Some(ExpiryType::Float), json!(60.0), json!(86_400.0)),
            (Some(ExpiryType::Date), json!(60), json!("1970-01-02T00:00:00.0000000Z")),
            (Some(ExpiryType::UsDate), json!(60), json!("01/02/1970 00:00:00 +00:00")),
        ] {
            let expected =
                json!({"expires_in": expires_in, "expires_on": expires_on, "not_before": "5", "resource": 5});
            assert_eq!(written(types, ExpiryType::Text), expected);
        }
        assert_eq!(written(None, ExpiryType::Number)["expires_on"], 86_400);
    }
}
